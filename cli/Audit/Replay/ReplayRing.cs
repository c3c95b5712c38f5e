using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Cli.Run;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Cli.Audit.Replay;

/// <summary>
/// Workers of this process over a cut of the model, and the router's sessions with them, as in <c>parallax run</c>; no HTTP. Made for one
/// replay, so that no cache has anything of the request.
/// </summary>
internal sealed class ReplayRing : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(10);

    private readonly PrivateSwarm _swarm;
    private readonly ImmutableArray<LocalWorker> _workers;
    private readonly WorkerDirectory _directory;

    private ReplayRing(PrivateSwarm swarm, ImmutableArray<LocalWorker> workers, WorkerDirectory directory, NumericClass numerics)
    {
        _swarm = swarm;
        _workers = workers;
        _directory = directory;
        NumericClass = numerics;
    }

    /// <summary>What the answers' bits depend on.</summary>
    public NumericClass NumericClass { get; }

    /// <summary>How the model is cut.</summary>
    public int Stages => _workers.Length;

    /// <summary>Loads the model.</summary>
    /// <exception cref="AuditCommandException">The workers do not get ready.</exception>
    public static async Task<ReplayRing> StartAsync(RunSettings settings, string model, IProgress<LoadProgress> progress, CancellationToken stop)
    {
        var swarm = new PrivateSwarm(TimeProvider.System);
        ImmutableArray<LocalWorker> workers = [];
        WorkerDirectory? directory = null;
        try
        {
            workers = await LocalWorkers.StartAsync(settings, progress, Console.Error, swarm, stop);
            directory = new WorkerDirectory(
                settings.ToRouter([.. workers.Select(static worker => worker.Address)]),
                new WorkerLinkOptions(),
                TimeProvider.System,
                NullLoggerFactory.Instance,
                credentials: swarm.CreateMember(MemberRoles.Router));
            await directory.StartAsync(stop);
            var began = TimeProvider.System.GetTimestamp();
            PathOffer? offer;
            while ((offer = directory.Offer(model)) is null)
            {
                if (TimeProvider.System.GetElapsedTime(began) > ReadyTime)
                {
                    throw new AuditCommandException($"The workers do not get ready: {directory.Problem(model)}");
                }

                await Task.Delay(LookAgain, TimeProvider.System, stop);
            }

            return new ReplayRing(swarm, workers, directory, offer.NumericClass);
        }
        catch
        {
            await DisposeAllAsync(directory, workers, swarm);
            throw;
        }
    }

    /// <summary>Generates an answer.</summary>
    /// <exception cref="AuditCommandException">It broke off.</exception>
    public async Task<(ImmutableArray<int> Tokens, FinishReason Reason)> GenerateAsync(
        string model, ImmutableArray<int> prompt, SamplingParameters sampling, Action<int> progress, CancellationToken stop)
    {
        var clock = TimeProvider.System;
        using var reserved = await _directory.ReserveAsync(
            model, new PathRequest { PromptTokens = prompt.Length, MaxTokens = sampling.MaxTokens, NumericClass = NumericClass }, ReadyTime, stop);
        var plan = new SessionPlan(
            model, prompt, sampling, Client: "replay", CacheSalt: $"replay/{Guid.NewGuid():N}", Deadline: clock.GetTimestamp() + ((long)TimeSpan.FromHours(1).TotalSeconds * clock.TimestampFrequency));
        using var session = _directory.Open(reserved, plan);
        var tokens = ImmutableArray.CreateBuilder<int>();
        await foreach (var token in session.Tokens.ReadAllAsync(stop))
        {
            tokens.Add(token.Id);
            session.Consumed(tokens.Count);
            progress(tokens.Count);
        }

        return await session.Result switch
        {
            SessionResult.Finished { Error.Length: 0 } finished => (tokens.ToImmutable(), finished.Reason),
            SessionResult.Finished finished => throw new AuditCommandException($"The replay broke off: {finished.Error}"),
            SessionResult.Refused refused => throw new AuditCommandException($"The workers refused the replay: {refused.Message}"),
            SessionResult.Lost lost => throw new AuditCommandException($"The replay broke off: {lost.Message}"),
            var other => throw new InvalidOperationException($"a session ended as {other.GetType().Name}"),
        };
    }

    public ValueTask DisposeAsync() => DisposeAllAsync(_directory, _workers, _swarm);

    private static async ValueTask DisposeAllAsync(WorkerDirectory? directory, ImmutableArray<LocalWorker> workers, PrivateSwarm swarm)
    {
        if (directory is not null)
        {
            await directory.StopAsync(CancellationToken.None);
            directory.Dispose();
        }

        foreach (var worker in workers)
        {
            await worker.StopAsync();
            await worker.DisposeAsync();
        }

        swarm.Dispose();
    }
}
