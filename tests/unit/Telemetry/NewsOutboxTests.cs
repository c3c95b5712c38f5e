using CsCheck;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

public sealed class NewsOutboxTests
{
    private readonly NewsOutbox _outbox = new(mostWorkers: 3);

    [Fact]
    public void Take_WhatWasReplaced_IsNeverSaid()
    {
        Put(NewsKind.Worker, "a", 1);
        Put(NewsKind.Worker, "a", 2);
        Put(NewsKind.Plan, "", 3);
        Assert.Equal([(NewsKind.Worker, "a", false, 2), (NewsKind.Plan, "", false, 3)], TakeAll());
        Assert.Empty(TakeAll());
    }

    [Fact]
    public void RepeatRecords_TellsRecordsAsTelemetry_AndNoPlans()
    {
        Put(NewsKind.Worker, "a", 1);
        Put(NewsKind.Plan, "", 2);
        Put(NewsKind.Revocations, "", 3);
        TakeAll();
        Put(NewsKind.Worker, "b", 4);
        _outbox.RepeatRecords();
        Assert.Equal([(NewsKind.Worker, "b", false, 4), (NewsKind.Worker, "a", true, 1)], TakeAll());
    }

    [Fact]
    public void SayEverything_SaysTheLatestOfEachKindAndWorker()
    {
        Put(NewsKind.Worker, "a", 1);
        Put(NewsKind.Worker, "b", 2);
        Put(NewsKind.Plan, "", 3);
        Put(NewsKind.Revocations, "", 4);
        TakeAll();
        _outbox.RepeatRecords();
        _outbox.SayEverything();
        Assert.Equal([1, 2, 3, 4], TakeAll().Select(static news => (int)news.Value).Order());
    }

    [Fact]
    public void Put_TooManyWorkers_IsRefusedAndTheOthersStay()
    {
        foreach (var worker in new[] { "a", "b", "c" })
        {
            Put(NewsKind.Worker, worker, 1);
        }

        Assert.Throws<InvalidOperationException>(() => Put(NewsKind.Worker, "d", 1));
        Put(NewsKind.Worker, "c", 2);
        Put(NewsKind.Plan, "", 3);
        Assert.Equal(4, TakeAll().Count);
    }

    [Fact]
    public void AnySequence_SaysNothingOldAndLeavesNothingUnsaid() =>
        Gen.Int[0, 5].Array[0, 60].Sample(steps =>
        {
            var outbox = new NewsOutbox(mostWorkers: 3);
            var latest = new Dictionary<string, byte>();
            var said = new Dictionary<string, byte>();
            byte stamp = 0;
            foreach (var step in steps)
            {
                switch (step)
                {
                    case < 3:
                        var worker = "abc".Substring(step, 1);
                        latest[worker] = ++stamp;
                        outbox.Put(NewsKind.Worker, worker, new[] { stamp });
                        break;
                    case 3:
                        outbox.RepeatRecords();
                        break;
                    case 4:
                        outbox.SayEverything();
                        break;
                    default:
                        if (outbox.TryTake(out var news))
                        {
                            Assert.Equal(latest[news.Worker], news.Envelope.Span[0]);
                            said[news.Worker] = news.Envelope.Span[0];
                        }

                        break;
                }
            }

            while (outbox.TryTake(out var news))
            {
                said[news.Worker] = news.Envelope.Span[0];
            }

            Assert.Equal(latest.OrderBy(static pair => pair.Key), said.OrderBy(static pair => pair.Key));
        });

    private void Put(NewsKind kind, string worker, byte value) => _outbox.Put(kind, worker, new[] { value });

    private List<(NewsKind Kind, string Worker, bool IsRepeated, byte Value)> TakeAll()
    {
        var taken = new List<(NewsKind, string, bool, byte)>();
        while (_outbox.TryTake(out var news))
        {
            taken.Add((news.Kind, news.Worker, news.IsRepeated, news.Envelope.Span[0]));
        }

        return taken;
    }
}
