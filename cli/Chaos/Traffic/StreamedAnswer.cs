namespace Parallax.Cli.Chaos.Traffic;

/// <summary>All of an answer that must not depend on faults. Two are the same when all of it is.</summary>
/// <param name="Text">The text.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="LastIndex">Index of the last token.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="AnswerTokens">Tokens of the answer.</param>
/// <param name="LogProbs">Every token's log-probabilities as they came, one a line; empty without.</param>
/// <param name="Fingerprint">The numeric class.</param>
internal sealed record StreamedAnswer(
    string Text, string FinishReason, int LastIndex, int PromptTokens, int AnswerTokens, string LogProbs, string Fingerprint)
{
    /// <summary>The first difference to what was expected, for people; null when there is none.</summary>
    public string? DifferenceTo(StreamedAnswer expected)
    {
        if (this == expected)
        {
            return null;
        }

        if (Text != expected.Text)
        {
            var at = Text.Zip(expected.Text).TakeWhile(static pair => pair.First == pair.Second).Count();
            return $"the text differs from character {at} of {expected.Text.Length} on: '{Around(Text, at)}' instead of '{Around(expected.Text, at)}'";
        }

        if (LogProbs != expected.LogProbs)
        {
            var (mine, theirs) = (LogProbs.Split('\n'), expected.LogProbs.Split('\n'));
            var at = mine.Zip(theirs).TakeWhile(static pair => pair.First == pair.Second).Count();
            return $"the log-probabilities differ from token {at} on ({mine.Length} and {theirs.Length} of them)";
        }

        return $"the text is the same, but it ended with {Rest(this)} instead of {Rest(expected)}";
    }

    private static string Around(string text, int at) => text.Substring(Math.Min(at, text.Length), Math.Min(40, text.Length - Math.Min(at, text.Length)));

    private static string Rest(StreamedAnswer answer) =>
        $"'{answer.FinishReason}', last index {answer.LastIndex}, {answer.PromptTokens} + {answer.AnswerTokens} tokens, {answer.Fingerprint}";
}
