using System.Buffers;
using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Subjects;
using Parallax.Swarm.Telemetry;
using Parallax.Testing.Telemetry;

namespace Parallax.UnitTests.Telemetry;

public sealed class NewsInboxTests : IDisposable
{
    private const int Capacity = 4;

    private readonly SwarmSubjects _subjects = new("home");
    private readonly FakeTimeProvider _time = new();
    private readonly TestWorker _worker = new();
    private readonly List<string> _told = [];
    private readonly NewsInbox _inbox;

    public NewsInboxTests() =>
        _inbox = new NewsInbox(_subjects, Capacity, _time, () => _told.Add("drops"), (reason, subject) => _told.Add($"{reason} {subject}"));

    public void Dispose() => _worker.Dispose();

    [Fact]
    public void Arrived_FromBothSubjects_IsNewsOfTheWorker()
    {
        Arrive(_subjects.Record(_worker.Id), _worker.Envelope("a"));
        Arrive(_subjects.Telemetry(_worker.Id), _worker.Envelope("b"));
        Assert.Equal(["a", "b"], ReadAll());
    }

    [Fact]
    public void Arrived_MoreThanIsRead_DropsTheOldestAndTellsOnce()
    {
        for (var i = 0; i < 10; i++)
        {
            Arrive(_subjects.Record(_worker.Id), _worker.Envelope($"{i}"));
        }

        Assert.Equal(["6", "7", "8", "9"], ReadAll());
        Assert.Equal((10, 6), (_inbox.Arrivals, _inbox.Dropped));
        Assert.Equal(["drops"], _told);
    }

    [Fact]
    public void Refused_TellsOnceAnEpisode_WithoutControlCharacters()
    {
        Arrive("parallax.home.worker.\u001b[31m\n.record", _worker.Envelope("a"));
        Arrive("other", _worker.Envelope("a"));
        _time.Advance(TimeSpan.FromSeconds(11));
        Arrive(new string('x', 5000), _worker.Envelope("a"));
        Assert.Equal(["Form parallax.home.worker.?[31m?.record", "Form " + new string('x', 200)], _told);
        Assert.Equal(3, _inbox.Refused(NewsRefusal.Form));
    }

    [Fact]
    public void Arrived_AtTheLimit_IsTaken_AboveIt_IsRefused()
    {
        var overhead = _worker.Envelope(new string('x', 40_000)).Length - 40_000;
        Arrive(_subjects.Plan, _worker.Envelope(new string('x', NewsLimits.MaxEnvelopeBytes - overhead)), NewsKind.Plan);
        Assert.Single(ReadAll());
        Arrive(_subjects.Plan, _worker.Envelope(new string('x', NewsLimits.MaxEnvelopeBytes - overhead + 1)), NewsKind.Plan);
        Arrive(_subjects.Plan, [], NewsKind.Plan);
        Assert.Empty(ReadAll());
        Assert.Equal(2, _inbox.Refused(NewsRefusal.Size));
    }

    [Fact]
    public void Arrived_CutAnywhere_IsRefused()
    {
        var envelope = _worker.Envelope("abc");
        for (var length = 1; length < envelope.Length; length++)
        {
            Arrive(_subjects.Record(_worker.Id), envelope[..length]);
        }

        Assert.Empty(ReadAll());
        Assert.Equal(envelope.Length - 1, _inbox.Refused(NewsRefusal.Form) + _inbox.Refused(NewsRefusal.Foreign));
    }

    [Fact]
    public void Arrived_FromSomebodyElseOrWithHeaders_IsRefused()
    {
        using var other = new TestWorker();
        Arrive(_subjects.Record(_worker.Id), other.Envelope("a"));
        _inbox.Arrived(NewsKind.Worker, _subjects.Record(_worker.Id), hasHeaders: true, new ReadOnlySequence<byte>(_worker.Envelope("a")));
        Assert.Empty(ReadAll());
        Assert.Equal((1, 1), (_inbox.Refused(NewsRefusal.Foreign), _inbox.Refused(NewsRefusal.Form)));
    }

    [Fact]
    public void Arrived_BufferUsedAgain_DoesNotChangeTheNews()
    {
        var buffer = _worker.Envelope("abc");
        Arrive(_subjects.Record(_worker.Id), buffer);
        Array.Clear(buffer);
        Assert.Equal(["abc"], ReadAll());
    }

    private void Arrive(string subject, byte[] envelope, NewsKind kind = NewsKind.Worker) =>
        _inbox.Arrived(kind, subject, hasHeaders: false, new ReadOnlySequence<byte>(envelope));

    private List<string> ReadAll()
    {
        var read = new List<string>();
        while (_inbox.Incoming.TryRead(out var news))
        {
            read.Add(TestWorker.ValueOf(news.Envelope));
        }

        return read;
    }
}
