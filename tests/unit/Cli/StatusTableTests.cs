using Parallax.Cli.Status;
using Parallax.Contracts.V1;

namespace Parallax.UnitTests.Cli;

/// <summary>A swarm for people.</summary>
public sealed class StatusTableTests
{
    [Fact]
    public void Format_SaysWhoServesWhat()
    {
        var status = Status();
        status.Workers.Add(Worker("aa11aa11aa", "one", WorkerPhase.Serving, Shard(ShardState.Serving, 0, 10), Shard(ShardState.Loading, 10, 20)));
        status.Workers.Add(Worker("bb22bb22bb", "two", WorkerPhase.Standby));
        status.Links.Add(new MemberLink { WorkerId = "bb22bb22bb", State = "connected", RttMs = 1.25 });

        var lines = StatusTable.Format(status).Split('\n');

        Assert.Equal("swarm cccccccc, plan 2.7 of aa11aa11, 2 workers, news by overlay", lines[0]);
        Assert.Equal(["aa11aa11", "one", "serving", "m", "0-10", "of", "30", "2", "(+1)", "50%", "25%", "12.5", "ms", "here", "1", "GiB", "https://10.0.0.2:7100"], Words(lines[2]));
        Assert.Equal(["loading", "4/10", "m", "10-20"], Words(lines[3])[..4]);
        Assert.Equal("1.25", Words(lines[4])[^5]);
        Assert.Contains("standby", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public void Format_SaysWhatIsAmiss()
    {
        var status = Status();
        status.PlanExpired = true;
        status.Plan.Shortages.Add("m lacks 3 GiB");
        var worker = Worker("aa11aa11aa", "one", WorkerPhase.Draining);
        worker.Problem = "the disk is full";
        worker.Unreachable.Add("bb22bb22bb");
        status.Workers.Add(worker);
        status.Links.Add(new MemberLink { WorkerId = "dd44dd44dd", State = "dead" });

        var text = StatusTable.Format(status);

        foreach (var expected in new[]
        {
            "plan 2.7 (no scheduler renews it), 1 worker,", "leaving", "short: m lacks 3 GiB", "aa11aa11: the disk is full", "aa11aa11 cannot reach bb22bb22",
            "dd44dd44 does not answer",
        })
        {
            Assert.Contains(expected, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Format_WhatOthersSayOfThemselves_DoesNotMoveTheCursor()
    {
        var status = Status();
        status.Plan = null;
        var worker = Worker("aa11aa11aa", "\e[2Jname\n", WorkerPhase.Standby);
        worker.Problem = "a\rb";
        worker.Addresses[0] = "https://x\e:1";
        status.Workers.Add(worker);

        var text = StatusTable.Format(status);

        Assert.Contains("no plan", text, StringComparison.Ordinal);
        Assert.DoesNotContain(text, static c => char.IsControl(c) && c != '\n');
        Assert.Equal(4, text.Count(static c => c == '\n'));
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static SwarmStatus Status() => new()
    {
        Swarm = "cccccccccc",
        Self = "aa11aa11aa",
        Telemetry = "overlay",
        Plan = new PlanRecord { Term = 2, Version = 7, Scheduler = "aa11aa11aa" },
    };

    private static WorkerRecord Worker(string id, string name, WorkerPhase phase, params ServingShard[] shards)
    {
        var record = new WorkerRecord { WorkerId = id, Name = name, Phase = phase, Device = new Device { MemoryBytes = 1L << 30 }, Load = new Load { Busy = 0.5 } };
        record.Addresses.Add("https://10.0.0.2:7100");
        record.Shards.AddRange(shards);
        return record;
    }

    private static ServingShard Shard(ShardState state, int start, int end)
    {
        var shard = new ServingShard
        {
            Model = new ServedModel { Name = "m", LayerStart = start, LayerEnd = end, LayerCount = 30 },
            State = state,
            Sessions = 2,
            WaitingSessions = 1,
            KvTokensFree = 25,
            KvTokensTotal = 100,
            LayersLoaded = 4,
        };
        shard.DecodeSteps.Add(new StepTime { Batch = 1, Milliseconds = 12.5 });
        return shard;
    }
}
