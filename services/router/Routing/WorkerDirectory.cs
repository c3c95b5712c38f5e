using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>
/// The workers that the router knows, with a link to each: those that options name, and those of the live map, which it
/// follows. Owns the loops that keep the links up, and the account of who is how busy.
/// </summary>
internal sealed partial class WorkerDirectory : IHostedService, IPathFinder, IDisposable
{
    /// <summary>
    /// While all paths are full, a request looks again so often even if no session has ended: a worker may have come.
    /// </summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly FrozenDictionary<string, Uri> _linkAddresses; // by worker id, of those that a map of stages names
    private readonly Guid _router;
    private readonly SwarmCredentials? _credentials;
    private readonly PathOptions _pathOptions;
    private readonly FailoverOptions _failover;
    private readonly IPrefixLookup? _prefixes;
    private readonly ArrivalClock _arrivals = new();
    private readonly LiveMap _map;
    private readonly LiveMap _lastResort; // with workers that are about to leave: used where nobody else serves some layers
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private volatile ImmutableArrayBox _members;
    private volatile Previous? _previous;
    private Task _following = Task.CompletedTask;
    private int _disposed;

    /// <param name="options">Names workers; may name none where a map is followed.</param>
    /// <param name="linkOptions">Times of links.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <param name="swarm">The live map to follow; null: only the workers that options name.</param>
    /// <param name="pathOptions">How paths are weighed; null for the defaults.</param>
    /// <param name="credentials">The router's as a member of a swarm; null for clear text.</param>
    /// <param name="prefixes">Knows which workers have which prompts cached; null: nobody knows.</param>
    public WorkerDirectory(
        RouterOptions options,
        WorkerLinkOptions linkOptions,
        TimeProvider clock,
        ILoggerFactory loggers,
        ISwarmView? swarm = null,
        PathOptions? pathOptions = null,
        SwarmCredentials? credentials = null,
        IPrefixLookup? prefixes = null)
    {
        _credentials = credentials;
        _prefixes = prefixes;
        _clock = clock;
        _router = options.RouterId;
        _failover = (linkOptions.Failover ?? new FailoverOptions()) with { IsOn = options.Failover, Standbys = options.Standbys };
        _pathOptions = pathOptions ?? new PathOptions();
        _map = new LiveMap(_pathOptions, clock);
        _lastResort = new LiveMap(_pathOptions, clock, withLeaving: true);
        _swarm = swarm;
        _linkOptions = linkOptions;
        _loggers = loggers;
        _logger = loggers.CreateLogger<WorkerDirectory>();
        if (options.FollowsSwarm && swarm is null)
        {
            throw new InvalidOperationException($"the router is to follow the swarm, but no {nameof(ISwarmView)} is registered");
        }

        var mapped = options.Stages?.Workers ?? [];
        _linkAddresses = mapped.ToFrozenDictionary(static worker => worker.Id, static worker => worker.LinkAddress, StringComparer.Ordinal);
        var workers = options.Workers.Select(static address => (Address: address, Id: (string?)null))
            .Concat(mapped.Select(static worker => (worker.Address, Id: (string?)worker.Id)));
        _members = new ImmutableArrayBox([.. workers.Select(worker => new Member(NewLink([worker.Address], worker.Id), SwarmId: null))]);
    }

    public IEnumerable<WorkerLink> Links => Members.Select(static member => member.Link);

    /// <summary>Who is how busy.</summary>
    public LoadLedger Ledger { get; } = new();

    private ImmutableArray<Member> Members => _members.Value;

    /// <summary>What could be served of a model if nobody else asked for anything; null when no path leads through it.</summary>
    public PathOffer? Offer(string model)
    {
        var (map, members) = MapOf(model);
        var request = new PathRequest { NeedsRoom = false };
        return PathPolicy.Choose(map, new StageLoad[map.Nodes.Length], request, _pathOptions, previous: default, random: null) is { } choice
            ? ToPath(choice, members).Offer
            : null;
    }

    /// <summary>
    /// Chooses a path and reserves the request's places on it, waiting until some path has room.
    /// </summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">What for.</param>
    /// <param name="patience">How long to wait for room.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NoPathException">There is no path, or none had room for so long.</exception>
    public async Task<ReservedPath> ReserveAsync(string model, PathRequest request, TimeSpan patience, CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        while (true)
        {
            var changed = Ledger.Changed;
            if (TryReserve(model, request, out var full) is { } reserved)
            {
                return reserved;
            }

            if (full is null)
            {
                var problem = Problem(model);
                throw new NoPathException(
                    problem.Length > 0 ? problem : PathProblem.DescribeFull(MapOf(model).Map, [], request), isFull: false);
            }

            var left = patience - _clock.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                throw new NoPathException(full, isFull: true);
            }

            await Task.WhenAny(changed, Task.Delay(left < LookAgain ? left : LookAgain, _clock, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Chooses and reserves; null when there is no path with room.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="request">What for.</param>
    /// <param name="full">What the paths lack, for people; null when there is no path at all.</param>
    public ReservedPath? TryReserve(string model, PathRequest request, out string? full)
    {
        var (map, members) = MapOf(model);
        var random = DrawRandom();
        if (request.Prefix is { } prefix && _prefixes is { } prefixes)
        {
            request = request with { CachedByNode = prefixes.CachedTokens(map, prefix) };
        }

        var reserved = Ledger.Reserve(map, request, loads =>
        {
            var previous = _previous is { } last && last.Model == model ? last.Shards : default;
            var choice = PathPolicy.Choose(map, loads, request, _pathOptions, previous, random);
            _previous = choice is null ? _previous : new Previous(model, choice.Shards);
            return choice;
        });
        full = null;
        if (reserved is not var (choice, reservation))
        {
            var loads = Ledger.Loads(map);
            var couldBeServed = PathPolicy.Choose(map, loads, request with { NeedsRoom = false }, _pathOptions, previous: default, random: null) is not null;
            full = couldBeServed ? PathProblem.DescribeFull(map, loads, request) : null;
            return null;
        }

        return new ReservedPath(ToPath(choice, members), reservation);
    }

    /// <summary>Opens a session at all stages of a path, on one of the places reserved there.</summary>
    public RemoteSession Open(ReservedPath reserved, SessionPlan plan) => Open(reserved, plan, SessionId.New(), term: 1);

    /// <summary>Opens a session under an id and a term, as a router does that takes a request over.</summary>
    public RemoteSession Open(ReservedPath reserved, SessionPlan plan, SessionId id, long term, ISessionObserver? observer = null)
    {
        var session = new RemoteSession(
            reserved.Path,
            plan with { Arrival = _arrivals.Next(_clock.GetUtcNow()) },
            id,
            new Epoch(term, _router, N: 0),
            _clock,
            reserved.Reservation.Take(),
            this,
            _failover,
            observer);
        session.Begin();
        return session;
    }

    /// <summary>Why there is no path for <paramref name="model"/>, for people.</summary>
    public string Problem(string model)
    {
        var now = _clock.GetTimestamp();
        var members = Members;
        return string.Join(" ", members
            .Select(member => (member.Link, Offer: member.OfferAt(now, withLeaving: true)) switch
            {
                (var link, null) => $"Worker {link.Address.Authority}: {(link.Offer is null || link.IsDraining ? link.Problem : "it has left the swarm or is leaving it")}.",
                (var link, { Shards.IsEmpty: true }) => $"Worker {link.Address.Authority} serves no model.",
                (var link, var offer) when offer.Shards.All(shard => shard.Model != model) =>
                    $"Worker {link.Address.Authority} serves '{offer.Shards[0].Model}', not '{model}'.",
                _ => "",
            })
            .Prepend(PathProblem.Describe(_lastResort.At(model, members).Map))
            .Prepend(members.IsEmpty ? "No worker is known." : "")
            .Where(static reason => reason.Length > 0));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var stop = _stopping.Token;
        foreach (var member in Members)
        {
            Run(member.Link);
        }

        _following = _swarm is null ? Task.CompletedTask : Task.Run(() => FollowAsync(_swarm, stop), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The last requests' cancellations are still on their way; without them workers would hold the sessions until
        // their leases run out.
        var begin = _clock.GetTimestamp();
        while (Links.Any(static link => link is { Offer: not null, SessionCount: > 0 }) && _clock.GetElapsedTime(begin) < FarewellTime)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }
        }

        await _stopping.CancelAsync();
        await _following;
        await StopRunsAsync();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return; // the container knows it under two names
        }

        _stopping.Cancel(); // a host whose start failed is disposed without having been stopped
        foreach (var link in Links)
        {
            link.Dispose();
        }

        _stopping.Dispose();
    }

    /// <summary>The map without workers that are about to leave, unless some layers are served by them alone.</summary>
    private (PathMap Map, ImmutableArray<Member> Members) MapOf(string model)
    {
        var present = _map.At(model, Members);
        var idle = new PathRequest { NeedsRoom = false };
        return PathPolicy.Choose(present.Map, new StageLoad[present.Map.Nodes.Length], idle, _pathOptions, previous: default, random: null) is null
            ? _lastResort.At(model, Members)
            : present;
    }

    private static ulong DrawRandom()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private WorkerPath ToPath(PathChoice choice, ImmutableArray<Member> members)
    {
        var shards = choice.Hops.Select(static hop => hop.Shard).ToArray();
        return new WorkerPath(
            [.. choice.Hops.Select(hop => ToStage(members[hop.Candidate], hop))],
            new PathOffer(
                shards[0].NumericClass,
                shards.Min(static shard => shard.ContextLimit),
                shards.Min(static shard => shard.MaxSessions),
                shards[0].VocabularySize))
        {
            Cost = choice.Cost,
            Shards = choice.Shards,
            Reason = choice.Reason,
            CachedTokens = choice.CachedTokens,
        };
    }

    private WorkerPathStage ToStage(Member member, PathHop hop)
    {
        var dialled = _linkAddresses.GetValueOrDefault(hop.Key.WorkerId) ?? member.Report?.Addresses[0] ?? member.Link.Address;
        return new WorkerPathStage(member.Link, hop.Key.WorkerId, dialled, hop.Shard.Range);
    }

    private sealed record ImmutableArrayBox(ImmutableArray<Member> Value);

    private sealed record Previous(string Model, ImmutableArray<ShardKey> Shards);
}
