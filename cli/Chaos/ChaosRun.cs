using System.Collections.Immutable;
using System.Globalization;
using Parallax.Cli.Bench;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Injection;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Report;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.Cli.Chaos;

/// <summary>
/// Starts a swarm, asks for the answers without faults, sends traffic through it, injects faults meanwhile, and compares.
/// </summary>
internal sealed class ChaosRun
{
    /// <summary>Longer than a lease: what a router that was killed had opened is freed when that runs out.</summary>
    private static readonly TimeSpan LeakTime = TimeSpan.FromSeconds(80);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);

    private readonly ChaosPlan _plan;
    private readonly TimeProvider _clock;
    private readonly IProgress<string> _progress;
    private readonly GapLedger _gaps;
    private readonly Lock _lock = new(); // guards _injected
    private readonly List<(InjectedFault Fault, int Gap)> _injected = [];
    private int _skipped;

    /// <param name="plan">What to do.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="progress">Told how far it is, about once a second.</param>
    public ChaosRun(ChaosPlan plan, TimeProvider clock, IProgress<string> progress) =>
        (_plan, _clock, _progress, _gaps) = (plan, clock, progress, new GapLedger(clock));

    /// <summary>Does it. Everything that was started has ended when this returns, however it does.</summary>
    /// <exception cref="ChaosException">The swarm does not work even without faults.</exception>
    public async Task<ChaosReport> RunAsync(CancellationToken cancellationToken)
    {
        _progress.Report("starting the processes");
        await using var swarm = await LocalSwarm.StartAsync(_plan.Swarm, _clock, onRouterLine: null, cancellationToken);
        var questions = await ReferenceAsync(swarm, cancellationToken);
        await using var traffic = new ChatTraffic(swarm.Addresses, questions, _plan.Traffic, _clock, _gaps.OnArrival);
        var began = _clock.GetTimestamp();
        var injector = new FaultInjector(swarm, _clock, _plan.RestartAfter);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var telling = TellAsync(traffic, began, ending.Token);
        try
        {
            await InjectAsync(injector, traffic, ending.Token);
            await injector.SettledAsync();
            await traffic.StopAsync().WaitAsync(cancellationToken);
        }
        finally
        {
            await ending.CancelAsync();
            await telling;
            await injector.SettledAsync();
        }

        var seconds = _clock.GetElapsedTime(began).TotalSeconds;
        _progress.Report("looking for what is left behind");
        await swarm.ReadyAsync(cancellationToken);
        return new ChaosReport(Describe(), Machine.Describe(), seconds, traffic.Tally, GapRows())
        {
            Skipped = _skipped,
            Problems = traffic.Problems,
            Leaks = await LeaksAsync(swarm, cancellationToken),
            Crashes = [.. swarm.Crashes],
        };
    }

    /// <summary>What workers still hold that runs no session any more, after they had time to let go of it.</summary>
    public static async Task<IReadOnlyList<string>> LeaksAsync(LocalSwarm swarm, TimeProvider clock, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            var leaks = new List<string>();
            foreach (var worker in swarm.Workers.Where(static worker => worker.IsUp))
            {
                var stats = await swarm.TryStatsAsync(worker.Id, cancellationToken);
                if (stats is null)
                {
                    leaks.Add($"{worker.Id} does not answer");
                }
                else if (stats.RunningSessions + stats.WaitingSessions + stats.KvBlocksUsed > 0)
                {
                    leaks.Add(string.Create(CultureInfo.InvariantCulture, $"{worker.Id} still has {stats.RunningSessions} sessions running, {stats.WaitingSessions} waiting, {stats.KvBlocksUsed} KV blocks in use"));
                }
            }

            if (leaks.Count == 0 || clock.GetElapsedTime(began) > LeakTime)
            {
                return leaks;
            }

            await Task.Delay(PollEvery, clock, cancellationToken);
        }
    }

    private Task<IReadOnlyList<string>> LeaksAsync(LocalSwarm swarm, CancellationToken cancellationToken) => LeaksAsync(swarm, _clock, cancellationToken);

    /// <summary>The questions and their answers without faults.</summary>
    private async Task<ImmutableArray<(ChatQuestion Question, StreamedAnswer Expected)>> ReferenceAsync(LocalSwarm swarm, CancellationToken cancellationToken)
    {
        using var client = new ChatClient(swarm.Addresses, _clock, _plan.Traffic.StuckAfter);
        var questions = ChatQuestions.Draw(
            await client.ModelAsync(cancellationToken), ModelTokenizer.Load(_plan.Swarm.Model), _plan.Questions, _plan.PromptTokens, _plan.AnswerTokens, _plan.Seed);
        _progress.Report($"reading {questions.Length} answers without faults");
        try
        {
            if (_plan.Reference is not { } other)
            {
                return await ChatTraffic.ReferenceAsync(swarm.Addresses[0], questions, _plan.Traffic.StuckAfter, _clock, cancellationToken);
            }

            await using var reference = await LocalSwarm.StartAsync(other, _clock, onRouterLine: null, cancellationToken);
            return await ChatTraffic.ReferenceAsync(reference.Addresses[0], questions, _plan.Traffic.StuckAfter, _clock, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new ChaosException($"{e.Message}{Environment.NewLine}{swarm.Said}");
        }
    }

    /// <summary>Injects faults when they are due, until the run ends.</summary>
    private async Task InjectAsync(FaultInjector injector, ChatTraffic traffic, CancellationToken cancellationToken)
    {
        await traffic.AllRead.WaitAsync(cancellationToken);
        var began = _clock.GetTimestamp();
        var end = traffic.Ended;
        foreach (var fault in _plan.Faults)
        {
            if ((_plan.MostFaults is { } most && Injected().Count >= most) || !await WaitAsync(fault.At))
            {
                return;
            }

            if (await injector.InjectAsync(fault, cancellationToken) is { } injected)
            {
                lock (_lock)
                {
                    _injected.Add((injected, _gaps.Add(injected.At, fault.Duration)));
                }
            }
            else
            {
                _skipped++;
            }
        }

        // A script may be over before the traffic.
        if (_plan.Duration is not null || _plan.Traffic.Requests is not null)
        {
            await WaitAsync(_plan.Duration ?? TimeSpan.MaxValue);
        }

        // Until a time after the beginning; false when the run has ended before.
        async Task<bool> WaitAsync(TimeSpan until)
        {
            var isLast = _plan.Duration is { } duration && duration <= until;
            var left = (isLast ? _plan.Duration!.Value : until) - _clock.GetElapsedTime(began);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (left > TimeSpan.Zero)
            {
                await Task.WhenAny(end, Task.Delay(left < TimeSpan.FromDays(1) ? left : TimeSpan.FromDays(1), _clock, over.Token));
                await over.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }

            return !isLast && !end.IsCompleted;
        }
    }

    private async Task TellAsync(ChatTraffic traffic, long began, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var tally = traffic.Tally;
            _progress.Report(string.Create(
                CultureInfo.InvariantCulture,
                $"{_clock.GetElapsedTime(began).TotalSeconds:0} s: {Injected().Count} faults, {tally.Complete} of {tally.Started} requests right, {tally.Tokens} tokens; lost {tally.Lost}, changed {tally.Changed}, stuck {tally.Stuck}"));
            await Task.Delay(TimeSpan.FromSeconds(1), _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private List<(InjectedFault Fault, int Gap)> Injected()
    {
        lock (_lock)
        {
            return [.. _injected];
        }
    }

    private List<GapRow> GapRows() =>
    [
        .. from injected in Injected()
           group injected by (injected.Fault.Fault.Kind, injected.Fault.Place) into same
           orderby same.Key
           select new GapRow(
               Names.Of(same.Key.Kind),
               Names.Of(same.Key.Place),
               [.. same.Select(one => _gaps.GapOf(one.Gap)).OfType<TimeSpan>().Select(static gap => gap.TotalMilliseconds)],
               same.Count()),
    ];

    private string Describe()
    {
        var swarm = _plan.Swarm;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(swarm.Model))} over {swarm.Stages} stages, {swarm.Workers.Length} workers of {swarm.Threads} threads, {_plan.Traffic.Clients} clients, prompts of {_plan.PromptTokens} and answers of {_plan.AnswerTokens} tokens, seed {_plan.Seed}");
    }
}
