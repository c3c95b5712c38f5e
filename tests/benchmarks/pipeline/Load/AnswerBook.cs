using System.Globalization;

namespace Parallax.PipelineBenchmark.Load;

/// <summary>
/// The answers to each question, from whichever configuration answered first: every other must give the same bytes.
/// </summary>
internal sealed class AnswerBook
{
    private readonly Dictionary<(string Question, int Tokens), (string Text, string Where)> _answers = [];
    private readonly List<string> _differences = [];

    /// <summary>Answers that were compared with an earlier one.</summary>
    public int Compared { get; private set; }

    /// <summary>The first differences, in words.</summary>
    public IReadOnlyList<string> Differences => _differences;

    public void Add(IReadOnlyList<string> questions, int tokens, LoadResult result, string where)
    {
        for (var i = 0; i < questions.Count; i++)
        {
            var text = result.Runs[i].Text;
            if (_answers.TryAdd((questions[i], tokens), (text, where)))
            {
                continue;
            }

            Compared++;
            var expected = _answers[(questions[i], tokens)];
            if (!string.Equals(expected.Text, text, StringComparison.Ordinal))
            {
                var at = expected.Text.Zip(text).TakeWhile(static pair => pair.First == pair.Second).Count();
                _differences.Add(string.Create(
                    CultureInfo.InvariantCulture, $"'{questions[i]}': {where} differs from {expected.Where} at character {at}"));
            }
        }
    }

    /// <summary>One line for a report.</summary>
    public string Summary() => _differences.Count == 0
        ? $"{Compared} answers compared with those of another configuration: byte for byte the same"
        : $"{_differences.Count} of {Compared} compared answers DIFFER:{Environment.NewLine}  {string.Join($"{Environment.NewLine}  ", _differences.Take(10))}";
}
