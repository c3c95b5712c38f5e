using Google.Protobuf;
using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.IntegrationTests.Services;
using Parallax.Router.Sessions;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Failover;

/// <summary>What a head tells of its sessions, and to whom.</summary>
public class ResumeAttachTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attach_WithIdAndContent_GetsAllIds_AndWithLessNothing()
    {
        await using var engine = new ScriptedEngine { Answer = static _ => ['a', 'b', ByteTokenizer.End] };
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        Assert.True((await cluster.ReadAsync(0, cluster.Body("\"stream\": true, \"logit_bias\": {\"3\": 1.5}"))).IsDone);
        var opened = engine.Opened.Single();
        var plan = new SessionPlan("demo", opened.PromptTokenIds, opened.Sampling, "another client", "another salt", 0);
        using var channel = GrpcChannel.ForAddress(cluster.WorkerAddress);
        var worker = new Contracts.V1.Worker.WorkerClient(channel);

        var held = await worker.AttachAsync(RouterMapping.ToAttach(opened.Session, plan), cancellationToken: Token);
        Assert.True(held.Held);
        Assert.Equal(['a', 'b', ByteTokenizer.End], held.Answer);
        Assert.True(held.Ended);
        Assert.Equal(FinishReason.Stop, held.Reason);
        Assert.Equal(opened.Epoch, RouterMapping.ToHeld(held)!.Epoch);

        AttachRequest[] others =
        [
            RouterMapping.ToAttach(SessionId.New(), plan),
            RouterMapping.ToAttach(opened.Session, plan with { Prompt = plan.Prompt[..^1] }),
            RouterMapping.ToAttach(opened.Session, plan with { Sampling = plan.Sampling with { Seed = plan.Sampling.Seed + 1 } }),
            RouterMapping.ToAttach(opened.Session, plan with { Sampling = plan.Sampling with { LogitBias = [] } }),
            new AttachRequest { IdHigh = RouterMapping.ToAttach(opened.Session, plan).IdHigh, IdLow = RouterMapping.ToAttach(opened.Session, plan).IdLow },
            new AttachRequest { Content = ByteString.CopyFrom(new byte[100]) },
            new AttachRequest(),
        ];
        foreach (var other in others)
        {
            Assert.Equal(new AttachReply(), await worker.AttachAsync(other, cancellationToken: Token));
        }
    }
}
