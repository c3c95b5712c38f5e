using Parallax.Contracts.V1;
using Parallax.Router.Routing;

namespace Parallax.UnitTests.Router.Routing;

public class SwarmMappingTests
{
    private static readonly string Id = new('a', 40);

    [Fact]
    public void ToReport_OfAWholeRecord()
    {
        var record = New();
        record.Phase = WorkerPhase.Draining;
        record.Device = new Device { Tflops = 2, BandwidthGbps = 50 };
        record.Rtts.Add(new PeerRtt { WorkerId = "b", Milliseconds = 1.5 });
        record.Unreachable.Add("c");
        record.Shards.Add(new ServingShard
        {
            Model = new ServedModel { ShardId = "s" },
            Sessions = 4,
            WaitingSessions = 1,
            KvTokensFree = 100,
            KvTokensTotal = 200,
            WeightBytes = 1000,
            PrefillMsPerToken = 0.5,
            RestoreMsPerToken = 0.1,
            DecodeSteps = { new StepTime { Batch = 8, Milliseconds = 9 }, new StepTime { Batch = 1, Milliseconds = 5 } },
        });

        var report = SwarmMapping.ToReport(new SwarmWorker(record, 3, 7))!;

        Assert.Equal((Id, 2L, 9L, 3L, 7L, true), (report.WorkerId, report.Incarnation, report.Sequence, report.HeardAt, report.ExpiresAt, report.IsDraining));
        Assert.Equal([new Uri("https://10.0.0.2:7100")], report.Addresses);
        Assert.Equal(1.5, report.RoundTrips["b"]);
        Assert.Contains("c", report.Unreachable);
        var shard = report.Shards["s"];
        Assert.Equal(new StageLoad(4, 1, 100), shard.Load);
        Assert.Equal([new MeasuredStep(1, 5), new MeasuredStep(8, 9)], shard.Speed.Steps);
        Assert.Equal(0.1, shard.Speed.RestoreMsPerToken);
        Assert.Equal((0.5, 1000, 2, 50), (shard.Speed.PrefillMsPerToken, shard.Speed.WeightBytes, shard.Speed.Tflops, shard.Speed.BandwidthGBps));
    }

    [Fact]
    public void ToReport_WhatMakesNoSense_IsLeftOut()
    {
        var record = New();
        record.Addresses.Add("ftp://10.0.0.2");
        record.Addresses.Add("nonsense");
        record.Addresses.Add("http://10.0.0.2:1/path");
        record.Addresses.Add("http://somebody@10.0.0.2:1");
        record.Addresses.Add("http://10.0.0.2:1/?q");
        record.Addresses.Add("http://10.0.0.2:0");
        record.Device = new Device { Tflops = double.NaN, BandwidthGbps = -3 };
        record.Rtts.Add(new PeerRtt { WorkerId = "b", Milliseconds = double.NaN });
        record.Rtts.Add(new PeerRtt { WorkerId = "c", Milliseconds = -1 });
        record.Shards.Add(new ServingShard());
        record.Shards.Add(new ServingShard
        {
            Model = new ServedModel { ShardId = "s" },
            Sessions = -5,
            WaitingSessions = int.MaxValue,
            KvTokensFree = 50,
            WeightBytes = -1,
            PrefillMsPerToken = double.PositiveInfinity,
            DecodeSteps = { new StepTime { Batch = 0, Milliseconds = 9 }, new StepTime { Batch = 4, Milliseconds = double.NaN }, new StepTime { Batch = 2 } },
        });

        var report = SwarmMapping.ToReport(new SwarmWorker(record, 0, 0))!;

        Assert.Single(report.Addresses);
        Assert.Empty(report.RoundTrips);
        var shard = Assert.Single(report.Shards).Value;
        Assert.Equal((0, null), (shard.Load.Sessions, shard.Load.KvTokensFree));
        Assert.InRange(shard.Load.Waiting, 0, 1 << 20);
        Assert.Null(shard.Speed.StepMs(1));
        Assert.Equal(0, shard.Speed.PrefillMsPerToken);
    }

    [Fact]
    public void ToReport_OfNobody_IsNone()
    {
        var nameless = New();
        nameless.WorkerId = "me";
        var shouting = New();
        shouting.WorkerId = new string('A', 40); // no link would know it by this
        var nowhere = New();
        nowhere.Addresses.Clear();

        Assert.Null(SwarmMapping.ToReport(new SwarmWorker(nameless, 0, 0)));
        Assert.Null(SwarmMapping.ToReport(new SwarmWorker(shouting, 0, 0)));
        Assert.Null(SwarmMapping.ToReport(new SwarmWorker(nowhere, 0, 0)));
    }

    [Fact]
    public void ToReport_TooMuchOfEverything_IsCutOff()
    {
        var record = New();
        record.Rtts.AddRange(Enumerable.Range(0, 10_000).Select(static i => new PeerRtt { WorkerId = $"{i}", Milliseconds = 1 }));
        record.Unreachable.AddRange(Enumerable.Range(0, 10_000).Select(static i => $"{i}"));
        record.Shards.AddRange(Enumerable.Range(0, 1000).Select(static i => new ServingShard { Model = new ServedModel { ShardId = $"{i}" } }));
        record.Addresses.AddRange(Enumerable.Range(1, 100).Select(static i => $"http://10.0.0.2:{i}"));

        var report = SwarmMapping.ToReport(new SwarmWorker(record, 0, 0))!;

        Assert.Equal((8, 64, 4096, 4096), (report.Addresses.Length, report.Shards.Count, report.RoundTrips.Count, report.Unreachable.Count));
    }

    private static WorkerRecord New() => new() { WorkerId = Id, Incarnation = 2, Sequence = 9, Addresses = { "https://10.0.0.2:7100" } };
}
