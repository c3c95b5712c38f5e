using System.Globalization;
using System.Text;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <summary>How a run of the writer that was cut off had left its streams, from the lines of its newest files. Pure.</summary>
internal sealed class LogRecovery
{
    private readonly Dictionary<string, Left> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StreamHead> _grown = new(StringComparer.Ordinal);

    /// <summary>The writer's own stream; null where there is none.</summary>
    public Left? Writer { get; private set; }

    /// <summary>Checkpoints that the term has.</summary>
    public long Checkpoints { get; private set; }

    /// <summary>Whether the term had ended in order.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Segments that had not ended, by name.</summary>
    public IEnumerable<Left> Open => _open.Values.OrderBy(static left => left.Stream, StringComparer.Ordinal);

    /// <summary>Segments that grew since the last checkpoint.</summary>
    public IEnumerable<StreamHead> Grown => _grown.Values;

    /// <summary>Takes a line, without its end.</summary>
    /// <exception cref="AuditFormatException">It is none of a log.</exception>
    public void Add(ReadOnlyMemory<byte> line)
    {
        var bytes = line.Span;
        if (bytes.SequenceEqual("R"u8))
        {
            return;
        }

        if (bytes.StartsWith("E "u8))
        {
            OnEvent(line[2..]);
            return;
        }

        var words = Encoding.UTF8.GetString(bytes).Split(' ');
        switch (words)
        {
            case ["S", var stream, var length, var head, var tokens]:
                OnState(new Left(stream, Number(length), head) { Tokens = (int)Number(tokens) });
                break;
            case ["T", var stream, var choice, var first, var count, var hash, .. var ids]:
                OnTokens(stream, new TokensEmitted(
                    (int)Number(choice), (int)Number(first), (int)Number(count), ids.Length == 0 ? null : [.. ids.Select(static id => (int)Number(id))], hash));
                break;
            default:
                throw new AuditFormatException($"This is no line of an audit log: '{words[0]}' with {words.Length} words.");
        }
    }

    private void OnEvent(ReadOnlyMemory<byte> payload)
    {
        var record = AuditCodec.Decode(payload);
        var head = AuditChain.HashOf(payload.Span);
        if (record.Stream.StartsWith(AuditStreams.WriterPrefix, StringComparison.Ordinal))
        {
            Writer = new Left(record.Stream, record.Number, head);
            switch (record.Event)
            {
                case WriterStarted:
                    (Checkpoints, HasEnded) = (0, false);
                    _open.Clear();
                    _grown.Clear();
                    break;
                case Checkpoint checkpoint:
                    (Checkpoints, HasEnded) = (checkpoint.Number, checkpoint.IsLast);
                    foreach (var listed in checkpoint.Streams)
                    {
                        if (_grown.TryGetValue(listed.Stream, out var grown) && grown.Length == listed.Length)
                        {
                            _grown.Remove(listed.Stream);
                        }
                    }

                    break;
            }

            return;
        }

        _grown[record.Stream] = new StreamHead(record.Stream, record.Number, head);
        if (record.Event is RequestCompleted or RequestFailed or RequestCancelled or RouterLost)
        {
            _open.Remove(record.Stream);
            return;
        }

        var left = _open.TryGetValue(record.Stream, out var known) ? known : _open[record.Stream] = new Left(record.Stream, 0, "");
        (left.Length, left.Head) = (record.Number, head);
        if (record.Event is TokensEmitted emitted)
        {
            // What it holds was noted line by line before, or, in a file that is gone, was counted at the beginning of this one.
            left.Noted.RemoveAll(noted => noted.Choice == emitted.Choice && noted.First < emitted.First + emitted.Count);
            left.Tokens += emitted.Count;
        }
    }

    private void OnState(Left state)
    {
        if (state.Stream.StartsWith(AuditStreams.WriterPrefix, StringComparison.Ordinal))
        {
            Writer = state;
        }
        else
        {
            _open[state.Stream] = state; // all that was noted before is in events
        }
    }

    private void OnTokens(string stream, TokensEmitted noted)
    {
        if (_open.TryGetValue(stream, out var left))
        {
            left.Noted.Add(noted);
        }
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new AuditFormatException($"'{text}' in an audit log is no number.");

    /// <summary>Where a stream stood.</summary>
    internal sealed class Left(string stream, long length, string head)
    {
        public string Stream { get; } = stream;

        public long Length { get; set; } = length;

        public string Head { get; set; } = head;

        /// <summary>Tokens that are in events.</summary>
        public int Tokens { get; set; }

        /// <summary>Tokens that are in none.</summary>
        public List<TokensEmitted> Noted { get; } = [];
    }
}
