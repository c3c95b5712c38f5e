using System.Collections.Frozen;
using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>The workers that the router was told of, with a link to each; owns the loops that keep the links up.</summary>
internal sealed class WorkerDirectory : IHostedService, IDisposable
{
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly WorkerLink[] _links;
    private readonly FrozenDictionary<string, Uri> _linkAddresses; // by worker id, of those that a map names
    private readonly Guid _router;
    private readonly ArrivalClock _arrivals = new();
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;
    private int _disposed;

    public WorkerDirectory(RouterOptions options, WorkerLinkOptions linkOptions, TimeProvider clock, ILoggerFactory loggers)
    {
        _clock = clock;
        _router = options.RouterId;
        var mapped = options.Stages?.Workers ?? [];
        _linkAddresses = mapped.ToFrozenDictionary(static worker => worker.Id, static worker => worker.LinkAddress, StringComparer.Ordinal);
        var workers = options.Workers.Select(static address => (Address: address, Id: (string?)null))
            .Concat(mapped.Select(static worker => (worker.Address, Id: (string?)worker.Id)));
        _links = [.. workers.Select(worker =>
            new WorkerLink(worker.Address, worker.Id, _router, linkOptions, clock, loggers.CreateLogger<WorkerLink>()))];
    }

    public IReadOnlyList<WorkerLink> Links => _links;

    /// <summary>The path for a new session of <paramref name="model"/>; null when there is none.</summary>
    public WorkerPath? Choose(string model)
    {
        var offers = Offers();
        var hops = PathPolicy.Choose(model, Candidates(offers));
        if (hops.IsEmpty)
        {
            return null;
        }

        var shards = hops.Select(static hop => hop.Shard).ToArray();
        return new WorkerPath(
            [.. hops.Select(hop => ToStage(_links[hop.Candidate], offers[hop.Candidate]!.WorkerId, hop.Shard.Range))],
            new PathOffer(
                shards[0].NumericClass,
                shards.Min(static shard => shard.ContextLimit),
                shards.Min(static shard => shard.MaxSessions),
                shards[0].VocabularySize));
    }

    /// <summary>Opens a session at all stages of a path.</summary>
    public RemoteSession Open(WorkerPath path, SessionPlan plan)
    {
        var session = new RemoteSession(
            path,
            plan with { Arrival = _arrivals.Next(_clock.GetUtcNow()) },
            SessionId.New(),
            new Epoch(Term: 1, _router, N: 0),
            _clock);
        for (var stage = 0; stage < path.Stages.Length; stage++)
        {
            path.Stages[stage].Link.Add(session, stage);
        }

        return session;
    }

    /// <summary>Why there is no path for <paramref name="model"/>, for people.</summary>
    public string Problem(string model)
    {
        var offers = Offers();
        return string.Join(" ", _links
            .Select((link, i) => offers[i] switch
            {
                null => $"Worker {link.Address.Authority}: {link.Problem}.",
                { Shards.IsEmpty: true } => $"Worker {link.Address.Authority} serves no model.",
                var offer when offer.Shards.All(shard => shard.Model != model) =>
                    $"Worker {link.Address.Authority} serves '{offer.Shards[0].Model}', not '{model}'.",
                _ => "",
            })
            .Prepend(PathProblem.Describe(model, Candidates(offers)))
            .Where(static reason => reason.Length > 0));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var stop = _stopping.Token;
        _loops = Task.WhenAll(_links.Select(link => Task.Run(() => link.RunAsync(stop), CancellationToken.None)));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The last requests' cancellations are still on their way; without them workers would hold the sessions until
        // their leases run out.
        var begin = _clock.GetTimestamp();
        while (_links.Any(static link => link is { Offer: not null, SessionCount: > 0 }) && _clock.GetElapsedTime(begin) < FarewellTime)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }
        }

        await _stopping.CancelAsync();
        await _loops;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return; // the container knows it under two names
        }

        _stopping.Cancel(); // a host whose start failed is disposed without having been stopped
        foreach (var link in _links)
        {
            link.Dispose();
        }

        _stopping.Dispose();
    }

    /// <summary>What each worker serves; null where it takes no new sessions.</summary>
    private WorkerOffer?[] Offers() => Array.ConvertAll(_links, static link => link.IsDraining ? null : link.Offer);

    private PathCandidate[] Candidates(WorkerOffer?[] offers) =>
        [.. _links.Select((link, i) => new PathCandidate(
            link.Address.Authority, offers[i]?.WorkerId ?? "", offers[i]?.Shards ?? [], link.SessionCount))];

    private WorkerPathStage ToStage(WorkerLink link, string id, LayerRange range) =>
        new(link, id, _linkAddresses.GetValueOrDefault(id) ?? link.Address, range);
}
