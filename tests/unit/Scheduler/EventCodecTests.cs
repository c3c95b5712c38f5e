using System.Text;
using Parallax.Placement;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Workflow;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Scheduler;

/// <summary>Events as they are stored.</summary>
public class EventCodecTests
{
    private static readonly CommandStamp Stamp = new("c", "d");

    [Fact]
    public void EveryEvent_ComesBack()
    {
        var shape = Shape("m", 2) with
        {
            Layers = [new LayerShape(1, 2, 3.5) { Window = 7, FlopsPerContextToken = 0.5, Experts = new ExpertShape(8, 2, 9) }, new LayerShape(4, 5, 6)],
            ContextLimit = 77,
            ScratchBytes = 5,
            IsTied = true,
        };
        var plan = new AllocationPlan(
            [new PlannedPipeline("m", [new Assignment("a", "m", Range(0, 2))], double.PositiveInfinity, double.NaN)],
            [new Assignment("b", "m", Range(1, 2))],
            ["c"],
            [new Shortage("n", "memory", 5, "n lacks 5")],
            ["because"]);
        SchedulerEvent[] events =
        [
            new TermStarted(3, "s"),
            new ModelDeployed(Stamp, Model("m", 1) with { Shape = shape, LinksQ8 = true, MaxBatch = 3 }),
            new ModelDeployed(Stamp, Model("m", 1)) { Pins = [new Assignment("w", "m", Range(0, 1))] },
            new ModelRetired(Stamp, "m"),
            new WorkerDrained(Stamp, "w", 1),
            new WorkerRemoved(Stamp, "w", 1),
            new ShardPinned(Stamp, new Assignment("w", "m", Range(0, 2))),
            new ShardUnpinned(Stamp, "w", "m"),
            new RebalanceAsked(Stamp),
            new WorkerReturned("w", 2),
            new WorkerLeft("w"),
            new PlanChanged(plan, [new Move("a", "m", null, Range(0, 2), 5)], SchedulerState.Map<long>().Add("a", 1).Add("B", 2), Story.Now, "why"),
        ];
        Assert.Equal(
            typeof(SchedulerEvent).Assembly.GetTypes().Count(static type => type.IsSubclassOf(typeof(SchedulerEvent)) && !type.IsAbstract) - 1,
            events.Select(static happened => happened.GetType()).Distinct().Count()); // all but the one that stands for what cannot be read

        foreach (var happened in events)
        {
            var stored = EventCodec.Encode(happened);
            var back = EventCodec.Decode(stored.Type, stored.Payload);
            Assert.IsType(happened.GetType(), back);
            Assert.Equal(Encoding.UTF8.GetString(stored.Payload.Span), Encoding.UTF8.GetString(EventCodec.Encode(back).Payload.Span));
        }
    }

    [Fact]
    public void StoredText_StaysReadable()
    {
        // As an earlier version wrote it, with a field that this one does not know.
        var happened = EventCodec.Decode(
            "ShardPinned",
            """{"pin":{"node":"w","model":"m","range":{"start":1,"end":2}},"stamp":{"id":"c","digest":"d"},"later":1}"""u8.ToArray());

        Assert.Equal(new ShardPinned(Stamp, new Assignment("w", "m", Range(1, 2))), happened);
    }

    [Theory]
    [InlineData("Nonsense", "{}")]
    [InlineData("TermStarted", "")]
    [InlineData("TermStarted", "null")]
    [InlineData("TermStarted", "[]")]
    [InlineData("TermStarted", "{\"term\":1}")]
    [InlineData("TermStarted", "{\"term\":1,\"scheduler\":null}")]
    [InlineData("PlanChanged", "{\"plan\":null}")]
    [InlineData("ModelDeployed", "{\"stamp\":{\"id\":\"c\",\"digest\":\"d\"},\"model\":{\"shape\":{}}}")]
    public void WhatCannotBeRead_IsLeftOutAndHoldsItsPlace(string type, string json)
    {
        var happened = EventCodec.Decode(type, Encoding.UTF8.GetBytes(json));

        Assert.NotEmpty(Assert.IsType<UnreadableEvent>(happened).Problem);
        Assert.Equal(1, Evolution.Evolve(SchedulerState.Empty, happened).Version);
    }
}
