using System.Text;
using Parallax.Audit.Chain;
using Parallax.Contracts.Messages;
using Parallax.Scheduler.Audit;
using static Parallax.UnitTests.Bus.AuditEvents;

namespace Parallax.UnitTests.Bus;

public sealed class AuditBatchCheckTests
{
    private static readonly string Other = AuditStreams.Writer(new string('b', 40), 3);

    [Fact]
    public void Read_StreamsThatAlternate_AreOneRunEach()
    {
        var (one, two) = (Chain(OneStream, 4), Chain(Other, 3));
        var runs = AuditBatchCheck.Read(Batch(one[1], two[0], one[2], two[1], one[3], two[2]));
        Assert.Equal([(OneStream, 2L, 3), (Other, 1L, 3)], runs.Select(static run => (run.Stream, run.First, run.Events.Length)));
        Assert.Equal(one[1..].Select(static added => added.Id), runs[0].Events.Select(static added => added.Id));
        Assert.True(runs[0].Events[0].Payload.Span.SequenceEqual(one[1].Payload.Span));
    }

    [Fact]
    public void Read_ATypeThatIsUnknown_Passes()
    {
        var payload = Encoding.UTF8.GetBytes($$"""{"v":9,"stream":"{{OneStream}}","n":1,"at":0,"prev":"{{AuditChain.Origin}}","type":"from-the-future","data":{"x":[1]} }""");
        Assert.Single(AuditBatchCheck.Read(new AuditBatch([Of(payload, "from-the-future")])));
    }

    [Fact]
    public void Read_WhatIsNotAsItSays_IsMalformed()
    {
        var events = Chain(OneStream, 3);
        var fine = Batch(events).Events;
        Rejects("0 events", new AuditBatch([]));
        Rejects("0 events", new AuditBatch(null!));
        Rejects("no stream", new AuditBatch([null!]));
        Rejects("no stream", new AuditBatch([fine[0] with { Stream = null! }]));
        Rejects("no stream of the audit", new AuditBatch([fine[0] with { Stream = "scheduler/plan" }]));
        Rejects("no stream of the audit", new AuditBatch([fine[0] with { Stream = "audit/request/a b" }]));
        Rejects("no stream of the audit", new AuditBatch([fine[0] with { Stream = "audit/request/" + new string('x', 300) }]));
        Rejects("the number 0", new AuditBatch([fine[0] with { Number = 0 }]));
        Rejects("for its type", new AuditBatch([fine[0] with { Type = "a\nb" }]));
        Rejects("not of its payload", new AuditBatch([fine[0] with { Id = Guid.NewGuid() }]));
        Rejects("not of its payload", new AuditBatch([fine[0] with { Payload = fine[1].Payload }]));
        Rejects("says of itself", new AuditBatch([fine[1] with { Number = 1 }]));
        Rejects("says of itself", new AuditBatch([fine[1] with { Type = "checkpoint" }]));
        Rejects("does not follow", new AuditBatch([fine[0], fine[2]]));
        Rejects("does not follow", new AuditBatch([fine[0], fine[0]]));
        Rejects("more than", new AuditBatch([.. Enumerable.Repeat(fine[0] with { Payload = new byte[6 << 20] }, 3)]));
        Rejects("1025 events", new AuditBatch([.. Enumerable.Repeat(fine[0], 1025)]));
        Rejects("no JSON object", new AuditBatch([Of("[1]"u8.ToArray(), "x")]));
        Rejects("no JSON object", new AuditBatch([Of("{\"stream\":1}"u8.ToArray(), "x")]));
        Rejects("no JSON object", new AuditBatch([Of([.. events[0].Payload.Span, (byte)' ', (byte)'1'], events[0].Type)]));
    }

    [Fact]
    public void Read_AnotherChain_IsMalformed()
    {
        var chain = new AuditChain(OneStream, 1, new string('f', 64));
        var stranger = chain.Append(new Parallax.Audit.Events.RequestCancelled(1), DateTimeOffset.UnixEpoch);
        Rejects("does not name the hash", Batch(Chain(OneStream, 1)[0], stranger));
    }

    private static AuditBatchEvent Of(byte[] payload, string type) => new(OneStream, 1, AuditChain.IdOf(AuditChain.HashOf(payload)), type, payload);

    private static void Rejects(string problem, AuditBatch batch)
    {
        var rejected = Assert.Throws<AuditRejectedException>(() => AuditBatchCheck.Read(batch));
        Assert.Equal(AuditRejection.Malformed, rejected.Kind);
        Assert.Contains(problem, rejected.Message, StringComparison.Ordinal);
    }
}
