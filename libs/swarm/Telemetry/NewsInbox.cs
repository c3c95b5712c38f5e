using System.Buffers;
using System.Threading.Channels;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.Subjects;
using Parallax.Contracts.V1;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// What arrives. On the socket's thread a message is looked at as far as that is cheap, which is all but its signature, and
/// goes into a bounded queue; when nobody reads it, the oldest go. Thread-safe.
/// </summary>
internal sealed class NewsInbox
{
    private const int MaxPublicKeyBytes = 256; // a P-256 key has 91
    private const int MaxSignatureBytes = 128; // and its signatures 64
    private const int MaxSubjectShown = 200;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly SwarmSubjects _subjects;
    private readonly TimeProvider _time;
    private readonly Action<NewsRefusal, string> _refusalsBegin;
    private readonly Channel<SwarmNews> _incoming;
    private readonly Episodes _refusals = new(Quiet);
    private readonly long[] _refused = new long[Enum.GetValues<NewsRefusal>().Length];
    private long _arrivals;
    private long _dropped;

    /// <param name="subjects">The swarm's.</param>
    /// <param name="capacity">Messages that wait at most.</param>
    /// <param name="time">Clock.</param>
    /// <param name="dropsBegin">Called when messages begin to be dropped, once an episode.</param>
    /// <param name="refusalsBegin">Called with reason and subject when messages begin to be refused, once an episode.</param>
    public NewsInbox(SwarmSubjects subjects, int capacity, TimeProvider time, Action dropsBegin, Action<NewsRefusal, string> refusalsBegin)
    {
        (_subjects, _time, _refusalsBegin) = (subjects, time, refusalsBegin);
        var drops = new Episodes(Quiet);
        _incoming = Channel.CreateBounded<SwarmNews>(
            new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest },
            _ =>
            {
                Interlocked.Increment(ref _dropped);
                if (drops.Begins(Now))
                {
                    dropsBegin();
                }
            });
    }

    public ChannelReader<SwarmNews> Incoming => _incoming.Reader;

    public long Arrivals => Volatile.Read(ref _arrivals);

    public long Dropped => Volatile.Read(ref _dropped);

    private TimeSpan Now => _time.GetElapsedTime(0, _time.GetTimestamp());

    public long Refused(NewsRefusal reason) => Volatile.Read(ref _refused[(int)reason]);

    /// <summary>A message from the wire. Copies what it keeps and never waits.</summary>
    public void Arrived(NewsKind kind, string subject, bool hasHeaders, in ReadOnlySequence<byte> envelope)
    {
        Interlocked.Increment(ref _arrivals);
        if (Judge(kind, subject, hasHeaders, envelope) is not { } reason)
        {
            _incoming.Writer.TryWrite(new SwarmNews(kind, envelope.ToArray()));
            return;
        }

        Interlocked.Increment(ref _refused[(int)reason]);
        if (_refusals.Begins(Now))
        {
            _refusalsBegin(reason, Printable(subject));
        }
    }

    /// <summary>A message that somebody else looks at has come.</summary>
    public void NoteArrival() => Interlocked.Increment(ref _arrivals);

    /// <summary>Ends <see cref="Incoming"/> with the bug that stopped the wire.</summary>
    public void Fail(Exception bug) => _incoming.Writer.TryComplete(bug);

    private NewsRefusal? Judge(NewsKind kind, string subject, bool hasHeaders, in ReadOnlySequence<byte> envelope)
    {
        if (envelope.Length is 0 or > NewsLimits.MaxEnvelopeBytes)
        {
            return NewsRefusal.Size;
        }

        var worker = default(PeerId);
        if (hasHeaders || (kind == NewsKind.Worker && !PeerId.TryParse(_subjects.WorkerOf(subject), out worker)) || Parse(envelope) is not { } record)
        {
            return NewsRefusal.Form;
        }

        return kind == NewsKind.Worker && PeerId.OfPublicKey(record.PublicKey.Span) != worker ? NewsRefusal.Foreign : null;
    }

    private static OverlayRecord? Parse(in ReadOnlySequence<byte> envelope)
    {
        try
        {
            var record = OverlayRecord.Parser.ParseFrom(envelope);
            return record.Key.Length == PeerId.Size
                && record.PublicKey.Length is > 0 and <= MaxPublicKeyBytes
                && record.Signature.Length is > 0 and <= MaxSignatureBytes
                ? record
                : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // refused and counted by the caller
        }
    }

    // Whoever can publish chooses the subject.
    private static string Printable(string subject) =>
        string.Concat(subject.Take(MaxSubjectShown).Select(static c => c is > ' ' and < '\x7f' ? c : '?'));
}
