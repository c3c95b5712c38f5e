using System.Collections.Immutable;
using System.Diagnostics;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Cli.Bench;

/// <summary>Our engine, in this process: the executor and a whole model's shard, as a worker has them; no HTTP, no gRPC.</summary>
internal sealed class EngineSubject : IBenchSubject
{
    private readonly LocalEngine _engine;
    private readonly TimeProvider _clock;

    private EngineSubject(LocalEngine engine, TimeProvider clock, double loadSeconds)
    {
        _engine = engine;
        _clock = clock;
        LoadSeconds = loadSeconds;
    }

    public string Name => "parallax";

    public string Description => $"{typeof(EngineSubject).Assembly.GetName().Version?.ToString(3)}, {_engine.BackendDescription}, {_engine.Engine.Info.NumericClass.Fingerprint}";

    public double LoadSeconds { get; }

    public static EngineSubject Load(LocalEngineOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        var engine = LocalEngine.Load(options, new TokenSamplerFactory(), cancellationToken: cancellationToken);
        return new EngineSubject(engine, clock, clock.GetElapsedTime(began).TotalSeconds);
    }

    public async Task<SingleRun> RunSingleAsync(ImmutableArray<int> prompt, int decodeTokens, CancellationToken cancellationToken)
    {
        // The first token comes with the prefill; the others are decoded.
        var began = _clock.GetTimestamp();
        var stamps = (await RunAsync([prompt], decodeTokens + 1, cancellationToken))[0];
        return new SingleRun(
            prompt.Length / _clock.GetElapsedTime(began, stamps[0]).TotalSeconds,
            decodeTokens / _clock.GetElapsedTime(stamps[0], stamps[^1]).TotalSeconds);
    }

    public async Task<double> RunBatchAsync(IReadOnlyList<ImmutableArray<int>> prompts, int decodeTokens, CancellationToken cancellationToken)
    {
        var runs = await RunAsync(prompts, decodeTokens, cancellationToken);
        var from = runs.Max(static stamps => stamps[0]);
        var to = runs.Min(static stamps => stamps[^1]);
        var count = runs.Sum(stamps => stamps.Count(stamp => stamp > from && stamp <= to));
        return count / _clock.GetElapsedTime(from, to).TotalSeconds;
    }

    public Task<MemoryUse> ReadMemoryAsync(CancellationToken cancellationToken)
    {
        using var process = Process.GetCurrentProcess();
        return Task.FromResult(new MemoryUse(process.WorkingSet64, process.PeakWorkingSet64));
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    /// <summary>Runs sessions at once; gives the time of each token, by session.</summary>
    private async Task<long[][]> RunAsync(IReadOnlyList<ImmutableArray<int>> prompts, int tokens, CancellationToken cancellationToken)
    {
        var engine = _engine.Engine;
        var runs = prompts.Select(prompt => new TimedSession(engine, _clock, prompt.Length, tokens)).ToArray();
        try
        {
            for (var i = 0; i < runs.Length; i++)
            {
                var request = new OpenRequest
                {
                    Session = runs[i].Id,
                    Epoch = TimedSession.Epoch,
                    PromptTokenIds = prompts[i],
                    Sampling = new SamplingParameters { Temperature = 0, MaxTokens = tokens },
                };
                var opened = await engine.OpenAsync(request, runs[i], cancellationToken);
                if (opened.Refusal is not null)
                {
                    throw new BenchException($"the engine refused a session: {opened.Message}");
                }
            }

            foreach (var run in runs)
            {
                engine.Start(run.Id, TimedSession.Epoch, 0);
            }

            return await Task.WhenAll(runs.Select(run => run.Stamps)).WaitAsync(cancellationToken);
        }
        finally
        {
            foreach (var run in runs)
            {
                engine.Cancel(run.Id, TimedSession.Epoch);
            }
        }
    }
}
