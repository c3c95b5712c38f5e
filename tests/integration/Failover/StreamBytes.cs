using System.Text;

namespace Parallax.IntegrationTests.Failover;

/// <summary>What a client has of a stream: the events that came whole, as standards have it. Comments are dropped.</summary>
internal sealed class StreamBytes
{
    private const string Done = "data: [DONE]\n\n";

    public StreamBytes(byte[] received)
    {
        Length = received.Length;
        var text = Encoding.UTF8.GetString(received);
        var end = text.LastIndexOf("\n\n", StringComparison.Ordinal);
        var events = (end < 0 ? "" : text[..(end + 2)])
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(static part => !part.StartsWith(": ", StringComparison.Ordinal))
            .Select(static part => part + "\n\n")
            .ToList();
        IsDone = events.Remove(Done);
        Events = events;
        LastId = events.LastOrDefault(static part => part.StartsWith("id: ", StringComparison.Ordinal))?.Split('\n')[0][4..] ?? "";
    }

    /// <summary>Bytes received, with halves and comments.</summary>
    public int Length { get; }

    /// <summary>The events, [DONE] apart.</summary>
    public IReadOnlyList<string> Events { get; }

    /// <summary>The last id among them; empty for none.</summary>
    public string LastId { get; }

    public bool IsDone { get; }

    /// <summary>All events one after the other.</summary>
    public string Text => string.Concat(Events);
}
