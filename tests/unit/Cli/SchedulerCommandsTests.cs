using Grpc.Core;
using Parallax.Cli;
using Parallax.Cli.Swarm;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Hosting.Commands;

namespace Parallax.UnitTests.Cli;

/// <summary>What operators say to a swarm's scheduler, and whom it is said to.</summary>
public sealed class SchedulerCommandsTests
{
    private static readonly Uri Member = new("https://10.0.0.2:7101");

    [Theory]
    [InlineData("swarm pin w m 4-4", "layers: '4-4'")]
    [InlineData("swarm pin w m all", "layers: 'all'")]
    [InlineData("swarm pin w m", "pin")]
    [InlineData("swarm deploy . --ctx 1 --kv-tokens 0 --max-batch 0 --max-pipelines -1", "--ctx: 1 |--kv-tokens: 0 |--max-batch: 0 |--max-pipelines: -1 ")]
    [InlineData("swarm plan --state /no/such", "--state: there is no folder '/no/such'")]
    [InlineData("swarm dance", "dance")]
    public async Task Words_ThatAreWrong_AreNamed(string line, string named)
    {
        using var error = new StringWriter();

        Assert.Equal(ExitCode.Usage, await ServiceCommand.RunAsync(CommandLine.Create(), line.Split(' '), error));
        Assert.All(named.Split('|'), part => Assert.Contains(part, error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Search_FollowsWhoStandsBy()
    {
        Assert.Equal(new SearchStep(SearchAction.Ask, new Uri("https://10.0.0.3:7100")), After(StatusCode.FailedPrecondition, leader: "https://10.0.0.3:7100"));

        // Nobody leads; or it names itself, or something that no member is.
        Assert.Equal(SearchAction.Wait, After(StatusCode.FailedPrecondition).Action);
        Assert.Equal(SearchAction.Wait, After(StatusCode.FailedPrecondition, leader: Member.ToString()).Action);
        Assert.Equal(SearchAction.Wait, After(StatusCode.FailedPrecondition, leader: "http://10.0.0.3:7100").Action);
        Assert.Equal(SearchAction.Wait, After(StatusCode.FailedPrecondition, leader: "nonsense").Action);
    }

    [Fact]
    public void Search_LooksIntoThePlan_WhereThereIsNoScheduler()
    {
        Assert.Equal(SearchAction.LookUp, After(StatusCode.Unimplemented).Action);
        Assert.Equal(SearchAction.LookUp, After(StatusCode.Unimplemented, isFirst: false).Action);
    }

    [Fact]
    public void Search_TellsNotYetFromNotThere()
    {
        Assert.Equal(SearchAction.Wait, After(StatusCode.Unavailable).Action); // an answer
        Assert.Equal(SearchAction.GiveUp, After(StatusCode.Unavailable, isUnanswered: true).Action); // the member that the user named
        Assert.Equal(SearchAction.LookUp, After(StatusCode.Unavailable, isUnanswered: true, isFirst: false).Action);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.ResourceExhausted)]
    [InlineData(StatusCode.Internal)]
    public void Search_EndsWithARefusal(StatusCode code) => Assert.Equal(SearchAction.GiveUp, After(code).Action);

    [Fact]
    public void Worker_IsNamedByIdItsBeginningOrName()
    {
        var status = Status();
        Assert.Equal(Id('a'), WorkerNames.Find(status, "aaaa"));
        Assert.Equal(Id('a'), WorkerNames.Find(status, "one"));
        Assert.Equal(Id('b'), WorkerNames.Find(status, Id('b')));

        // Who is gone can be named while the plan does: 'remove' is for such.
        Assert.Equal(Id('d'), WorkerNames.Find(status, "dddd"));
        Assert.Equal(Id('e'), WorkerNames.Find(status, Id('e')));
        Assert.Contains("no worker 'x'", Assert.Throws<SwarmCommandException>(() => WorkerNames.Find(status, "x")).Message, StringComparison.Ordinal);
        Assert.Contains("aaaaaaaa (one)", Assert.Throws<SwarmCommandException>(() => WorkerNames.Find(status, "x")).Message, StringComparison.Ordinal);
        Assert.Throws<SwarmCommandException>(() => WorkerNames.Find(status, ""));
    }

    [Fact]
    public void Plan_SaysWhoHoldsWhatAndWhy()
    {
        var record = new PlanRecord { Term = 3, Version = 9, DecidedAtMs = 0 };
        var model = new PlannedModel { Shape = new Parallax.Contracts.V1.ModelShape { Name = "m" } };
        model.Pins.Add(new PlannedShard { WorkerId = Id('a'), LayerStart = 0, LayerEnd = 4 });
        record.Models.Add(model);
        record.Shards.Add(new PlannedShard { WorkerId = Id('a'), Model = "m", LayerStart = 0, LayerEnd = 4 });
        record.Shards.Add(new PlannedShard { WorkerId = Id('d'), Model = "m", LayerStart = 4, LayerEnd = 8 });
        record.Shards.Add(new PlannedShard { WorkerId = Id('b'), Model = "m", LayerStart = 0, LayerEnd = 4, Pipeline = -1 });
        record.Drain.Add(Id('c'));
        record.Shortages.Add("n lacks 2 GiB");
        var plan = new PlanDetails { Record = record, Cause = "the swarm changed" };
        plan.Pipelines.Add(new PipelinePrediction { Model = "m", LatencyMs = 12.5, TokensPerSecond = 300 });
        plan.Standby.Add([Id('b'), Id('c')]);
        plan.Reasons.Add("m: because\e[2J");
        plan.Moves.Add(new PlanMove { WorkerId = Id('a'), Model = "m", To = new LayerSpan { Start = 0, End = 4 }, LoadBytes = 1 << 20 });

        var text = PlanText.Format(new GetPlanReply { Leader = new SchedulerLeader { Id = Id('f'), Address = "https://10.0.0.2:7100" }, Plan = plan }, Status());

        Assert.Equal(
            """
            plan 3.9, led by ffffffff at https://10.0.0.2:7100; decided 1970-01-01 00:00:00Z because the swarm changed
            MODEL  PIPELINE  LAYERS  WORKER
            m      1         0-4     aaaaaaaa (one)  pinned
            m      1         4-8     dddddddd
            m      copy      0-4     bbbbbbbb (two)
            -      standby   -       bbbbbbbb (two)
            -      drains    -       cccccccc
            m pipeline 1: 12.5 ms per token of one session, 300 tokens/s together
            short: n lacks 2 GiB
            m: because?[2J
            move: aaaaaaaa (one) m nothing -> 0-4, loads 1 MiB

            """,
            text);
    }

    [Fact]
    public void Plan_BeforeTheFirst_IsSaid() => Assert.Equal(
        "plan 0.0, and nobody leads just now; nothing is decided yet\n",
        PlanText.Format(new GetPlanReply { Plan = new PlanDetails { Record = new PlanRecord() } }, Status()));

    [Fact]
    public void Outcome_SaysWhetherAnythingMoves()
    {
        var reply = new CommandReply { Version = new PlanVersion { Term = 1, Version = 4 } };
        Assert.Equal("Plan 1.4: nothing has to move.\n", PlanText.Format(reply));

        reply.PlanChanged = true;
        reply.Shortages.Add("m lacks 1 GiB");
        Assert.Equal("Plan 1.4: layers are placed anew, see 'parallax swarm plan'.\nshort: m lacks 1 GiB\n", PlanText.Format(reply));
    }

    [Fact]
    public void FoundersModels_AreRememberedAndDamageIsSaid()
    {
        var folder = Directory.CreateTempSubdirectory("parallax-");
        try
        {
            var models = new FoundersModels(folder.FullName);
            Assert.Empty(models.Read());

            models.Write([new FoundersModel("a model", true), new FoundersModel("b", false)]);
            Assert.Equal([new FoundersModel("a model", true), new FoundersModel("b", false)], new FoundersModels(folder.FullName).Read());

            File.WriteAllText(Path.Combine(folder.FullName, "deployed"), "half a li");
            Assert.Contains("half a li", Assert.Throws<OptionsException>(() => models.Read()).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static SearchStep After(StatusCode code, string? leader = null, bool isFirst = true, bool isUnanswered = false)
    {
        var trailers = new Metadata();
        if (leader is not null)
        {
            trailers.Add("parallax-leader-address", leader);
        }

        return SchedulerSearch.After(new RpcException(new Status(code, "why", isUnanswered ? new HttpRequestException() : null), trailers), Member, isFirst);
    }

    private static string Id(char digit) => new(digit, 40);

    private static SwarmStatus Status()
    {
        var status = new SwarmStatus { Plan = new PlanRecord() };
        foreach (var (digit, name) in new[] { ('a', "one"), ('b', "two") })
        {
            var worker = new WorkerRecord { WorkerId = Id(digit), Name = name };
            worker.Addresses.Add("https://10.0.0.2:7100");
            status.Workers.Add(worker);
        }

        status.Plan.Shards.Add(new PlannedShard { WorkerId = Id('d') });
        return status;
    }
}
