using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Injection;

namespace Parallax.FailoverBenchmark.Throughput;

/// <summary>Kills a worker that has sessions, at random, with each token that a client gets. Thread-safe.</summary>
internal sealed class Failing(FaultInjector injector, double rate, Draws draws, CancellationToken cancellationToken)
{
    private readonly Lock _lock = new(); // guards draws and what follows
    private Task _killing = Task.CompletedTask;
    private int _failures;

    /// <summary>Kills so far.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public void OnTokens(int tokens)
    {
        lock (_lock)
        {
            for (var i = 0; i < tokens; i++)
            {
                if (draws.Fraction() < rate)
                {
                    var (before, draw) = (_killing, draws.Next());
                    _killing = KillAsync(before, draw);
                }
            }
        }
    }

    /// <summary>Waits for the kills that have begun.</summary>
    public Task SettledAsync()
    {
        lock (_lock)
        {
            return _killing;
        }
    }

    private async Task KillAsync(Task before, ulong draw)
    {
        await before;
        if (await injector.InjectAsync(new Fault(TimeSpan.Zero, FaultKind.Kill, new Victim(VictimRole.Random)) { Draw = draw }, cancellationToken) is not null)
        {
            Interlocked.Increment(ref _failures);
        }
    }
}
