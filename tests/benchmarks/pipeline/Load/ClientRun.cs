using System.Diagnostics;
using System.Text;

namespace Parallax.PipelineBenchmark.Load;

/// <summary>One streamed answer as a client saw it. Times are timestamps of <see cref="Stopwatch"/>.</summary>
internal sealed class ClientRun
{
    private readonly StringBuilder _text = new();

    public long SentAt { get; init; }

    public long FirstAt { get; private set; }

    public long LastAt { get; private set; }

    /// <summary>Index of the last token whose text came with the first event, and with the last.</summary>
    public (int First, int Last) Indices { get; private set; } = (-1, -1);

    public int PromptTokens { get; set; }

    public int AnswerTokens { get; set; }

    public string Text => _text.ToString();

    public double SecondsToFirst => Stopwatch.GetElapsedTime(SentAt, FirstAt).TotalSeconds;

    /// <summary>From the first event with a token to the last.</summary>
    public double MillisecondsPerToken =>
        Stopwatch.GetElapsedTime(FirstAt, LastAt).TotalMilliseconds / Math.Max(1, Indices.Last - Indices.First);

    /// <summary>An event came: its text, and the index of the last token in it.</summary>
    public void Add(string text, int index, long at)
    {
        _text.Append(text);
        if (index > Indices.Last)
        {
            FirstAt = FirstAt == 0 ? at : FirstAt;
            LastAt = at;
            Indices = (Indices.First < 0 ? index : Indices.First, index);
        }
    }
}
