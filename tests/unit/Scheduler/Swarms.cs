using System.Globalization;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Placement.Records;
using Parallax.Scheduler.Planning;
using ModelShape = Parallax.Placement.ModelShape;

namespace Parallax.UnitTests.Scheduler;

/// <summary>Workers and models for tests; a worker's memory is told in layers of 100 bytes.</summary>
internal static class Swarms
{
    public const string Hash = "abcd";

    public static string Id(int number) => number.ToString("x40", CultureInfo.InvariantCulture);

    public static WorkerRecord Record(int number, int layers, params ServingShard[] shards)
    {
        var record = new WorkerRecord
        {
            WorkerId = Id(number),
            Incarnation = 1,
            Sequence = 1,
            Device = new Device { Kind = "cpu", MemoryBytes = layers * 100, Tflops = 1, BandwidthGbps = 10 },
            Phase = shards.Length == 0 ? WorkerPhase.Standby : WorkerPhase.Serving,
            Follows = new PlanVersion { Term = 1, Version = 1_000_000 },
        };
        record.Shards.AddRange(shards);
        return record;
    }

    public static ServingShard Shard(string model, int start, int end, int layers, ShardState state = ShardState.Serving, string hash = Hash) => new()
    {
        State = state,
        Model = new ServedModel
        {
            Name = model,
            LayerStart = start,
            LayerEnd = end,
            LayerCount = layers,
            NumericClass = new NumericClass { WeightsHash = hash, Residual = NumericClass.Types.Residual.Bf16, Backend = "cpu" },
        },
    };

    public static WorkerView View(WorkerRecord record)
    {
        var view = WorkerRecords.Read(record, out var problem);
        Assert.Null(problem);
        return view!;
    }

    public static WorkerView OneWorker(int number, int layers, params ServingShard[] shards) => View(Record(number, layers, shards));

    public static SwarmView Of(params WorkerView[] workers) => SwarmView.Of(workers);

    public static ModelShape Shape(string name, int layers, string hash = Hash) =>
        new(name, hash, [.. Enumerable.Repeat(new Parallax.Placement.LayerShape(100, 1, 1000), layers)], 0, 0, false, 1000, 64);

    public static DeployedModel Model(string name, int layers, string hash = Hash) =>
        new(Shape(name, layers, hash), NumericClass.Types.Residual.Bf16, false, 0, 0, 0, 0, true);

    public static LayerRange Range(int start, int end) => new(start, end);
}
