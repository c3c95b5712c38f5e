using BenchmarkDotNet.Attributes;
using Parallax.Runtime.Batching;

namespace Parallax.Benchmarks.Batching;

/// <summary>The decision of one step: half of the sessions decode, the others prefill or wait.</summary>
[MemoryDiagnoser]
public class SchedulerBenchmarks
{
    private readonly StepPlan _plan = new();
    private readonly KvRoom[] _room = [new KvRoom(4096, int.MaxValue)];
    private readonly long[] _service = [100, 200, 300, 400];
    private BatchScheduler _scheduler = null!;
    private SessionView[] _sessions = [];

    [Params(16, 256)]
    public int Sessions { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _scheduler = new BatchScheduler(new BatchLimits(Sessions, 512, 64));
        _sessions = [.. Enumerable.Range(0, Sessions).Select(static i => (i % 4) switch
        {
            0 or 1 => new SessionView { Phase = SessionPhase.Decoding, Client = i % 4, Applied = 100 + i, Remaining = 1, CoveredBlocks = 7 + (i / 16) },
            2 => new SessionView { Phase = SessionPhase.Prefilling, Client = 2, Applied = 64, Remaining = 400, CoveredBlocks = 4 },
            _ => new SessionView { Phase = SessionPhase.Waiting, Client = 3, Applied = 0, Remaining = 300 },
        })];
    }

    [Benchmark]
    public int Plan()
    {
        _scheduler.Plan(_sessions, _service, _room, _plan);
        return _plan.Slices.Count;
    }
}
