using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Revocation;
using Parallax.Identity.Statements;
using Parallax.Overlay;
using Parallax.Swarm.Map;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Members;

/// <summary>
/// A process in a swarm: keeps the map of workers and the newest plan, publishes its own record, and tells others of
/// changes. Three ways bring news, each enough by itself: probes, which every member answers with its own record and the
/// newest plan; the overlay, which finds members that nobody has told of; and NATS, where there is one. Thread-safe.
/// </summary>
public sealed partial class SwarmMember : IAsyncDisposable
{
    private const string PlanPurpose = "plan";

    private readonly Lock _gate = new(); // guards the writing of all that follows
    private readonly MemberOptions _options;
    private readonly IOverlay _overlay;
    private readonly MemberChannels _channels;
    private readonly IMemberRecord? _record;
    private readonly ISwarmNews? _news;
    private readonly SwarmCredentials _credentials;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _origin;
    private volatile SwarmMap _map = SwarmMap.Empty;
    private volatile RelayedRecord? _plan; // as it is passed on
    private volatile RelayedRecord? _own;
    private volatile IReadOnlyList<string> _addresses = [];
    private WorkerRecord? _said; // what _own says; of the record loop alone
    private TaskCompletionSource _changed = NewSignal();
    private Task _loops = Task.CompletedTask;
    private int _isStopped;

    /// <param name="options">Times and limits.</param>
    /// <param name="overlay">The overlay, started by whoever made it.</param>
    /// <param name="credentials">Who this member is: opens channels, signs plans, and says whose plans count. Stay the caller's.</param>
    /// <param name="record">What this member says of itself; null for one that is no worker.</param>
    /// <param name="news">A faster way for news; null for none.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="logger">Log.</param>
    public SwarmMember(
        MemberOptions options,
        IOverlay overlay,
        SwarmCredentials credentials,
        IMemberRecord? record,
        ISwarmNews? news,
        TimeProvider clock,
        ILogger<SwarmMember> logger)
    {
        _options = options;
        _overlay = overlay;
        _credentials = credentials;
        _channels = new MemberChannels(credentials);
        _record = record;
        _news = news;
        _clock = clock;
        _logger = logger;
        _origin = clock.GetTimestamp();
    }

    /// <summary>The swarm's id.</summary>
    public string Swarm => _options.Swarm;

    /// <summary>This member.</summary>
    public PeerId Self => _overlay.Self;

    /// <summary>The overlay beneath.</summary>
    public IOverlay Overlay => _overlay;

    /// <summary>The swarm as far as this member knows it.</summary>
    public SwarmMap Map => _map;

    /// <summary>The member's own monotonic clock, by which the map's times are to be read.</summary>
    public TimeSpan Now => _clock.GetElapsedTime(_origin);

    /// <summary>Completes at the next change of <see cref="Map"/>: take this first, then look.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Which way brings news: the name of the bus while it is connected, else <c>overlay</c>.</summary>
    public string NewsBy => _news is { IsConnected: true } news ? news.Name : "overlay";

    /// <summary>Where this member is dialled, best first. Before <see cref="Start"/>, and whenever it changes.</summary>
    public IReadOnlyList<string> Addresses
    {
        get => _addresses;
        set => _addresses = value;
    }

    /// <summary>Starts to publish, probe and listen.</summary>
    public void Start()
    {
        var stop = _stopping.Token;
        List<Task> loops = [Repeat("probe", ProbeRoundAsync, stop), Repeat("poll", PollRoundAsync, stop)];
        if (_record is not null)
        {
            loops.Add(Repeat("record", RecordRoundAsync, stop));
        }

        if (_news is not null)
        {
            loops.Add(Repeat("news", ReadNewsAsync, stop));
        }

        _loops = Task.WhenAll(loops);
    }

    /// <summary>Signs and publishes a plan: everybody hears of it at once, as far as it can be reached.</summary>
    public async Task PublishPlanAsync(PlanRecord plan, TimeSpan lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var isNews = PlanVersions.IsNewer(PlanVersions.VersionOf(plan), PlanVersions.VersionOf(_map.Plan));
        var statement = SignedStatements.Sign(_credentials, PlanPurpose, plan.ToByteArray(), _clock.GetUtcNow());
        var sealedPlan = _overlay.Seal(SwarmNames.Plan(Swarm), statement, lease);
        Take(sealedPlan);
        _news?.Publish(NewsKind.Plan, "", sealedPlan.Envelope);
        if (isNews)
        {
            await PushAsync(sealedPlan.Envelope, cancellationToken);
        }

        await _overlay.PutAsync(sealedPlan, cancellationToken);
    }

    /// <summary>Takes note of a signed record that came from anywhere.</summary>
    /// <returns>Null when it is news; else why it changes nothing.</returns>
    public string? Accept(ReadOnlyMemory<byte> envelope) =>
        _overlay.Open(envelope) is { } record ? Take(record) : "the record is not readable, not genuine, or has expired";

    /// <summary>Says goodbye: the record goes at once, not when its lease runs out. Probing and listening go on until disposal.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (_record is null || Interlocked.Exchange(ref _isStopped, 1) != 0)
        {
            return;
        }

        var farewell = _overlay.Seal(SwarmNames.Workers(Swarm), ReadOnlyMemory<byte>.Empty, _options.Lease);
        _news?.Publish(NewsKind.Worker, Self.ToString(), farewell.Envelope);
        await PushAsync(farewell.Envelope, cancellationToken);
        await _overlay.RemoveAsync(SwarmNames.Workers(Swarm), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a loop ends by being cancelled; what else it meets it has logged
        _channels.Dispose();
        _stopping.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Update(Func<SwarmMap, SwarmMap> change)
    {
        TaskCompletionSource? changed = null;
        lock (_gate)
        {
            var next = change(_map);
            if (!ReferenceEquals(next, _map))
            {
                _map = next;
                changed = _changed;
                _changed = NewSignal();
            }
        }

        changed?.TrySetResult();
    }

    /// <summary>Null when it is news; else why it changes nothing.</summary>
    private string? Take(FoundRecord record)
    {
        try
        {
            return record.Key == SwarmNames.Workers(Swarm) ? TakeWorker(record)
                : record.Key == SwarmNames.Plan(Swarm) ? TakePlan(record)
                : record.Key == SwarmNames.Revocations(Swarm) ? TakeRevocations(record)
                : "the record belongs to no name of this swarm";
        }
        catch (InvalidProtocolBufferException e)
        {
            LogUnreadable(record.Publisher, e.Message);
            return "the record's contents are not readable";
        }
    }

    private string? TakeWorker(FoundRecord record)
    {
        var before = _map;
        if (record.Value.IsEmpty)
        {
            Update(map => map.Workers.TryGetValue(record.Publisher, out var known)
                && (record.Incarnation, record.Sequence).CompareTo((known.Incarnation, known.Sequence)) > 0 ? map.Without(record.Publisher) : map);
            return ReferenceEquals(before, _map) ? "nothing newer" : null;
        }

        var said = WorkerRecord.Parser.ParseFrom(record.Value.Span);
        if (said.WorkerId != record.Publisher.ToString())
        {
            LogUnreadable(record.Publisher, $"it speaks of worker '{said.WorkerId}'");
            return "a worker's record must be its own";
        }

        if (record.Publisher == Self && record.Incarnation > (_own?.Record.Incarnation ?? long.MaxValue))
        {
            LogTwin(Self);
        }

        Update(map => map.With(record.Publisher, said, record.Incarnation, record.Sequence, record.Remaining, Now));
        return ReferenceEquals(before, _map) ? "nothing newer" : null;
    }

    private string? TakePlan(FoundRecord record)
    {
        if (record.Value.IsEmpty)
        {
            return "a plan is not taken back but replaced";
        }

        if (SignedStatements.Read(_credentials, PlanPurpose, MemberRoles.Scheduler, record.Value.Span, _clock.GetUtcNow(), out var problem) is not { } statement)
        {
            LogUntrustedPlan(record.Publisher, problem);
            return $"the plan is not to be believed: {problem}";
        }

        var plan = PlanRecord.Parser.ParseFrom(statement.Payload.Span);
        var now = Now;
        var before = _map;
        Update(map => map.With(plan, record.Remaining, now));
        if (ReferenceEquals(before, _map))
        {
            return "nothing newer";
        }

        lock (_gate)
        {
            _plan = new RelayedRecord(record, now);
        }

        if (PlanVersions.IsNewer(PlanVersions.VersionOf(plan), PlanVersions.VersionOf(before.Plan)))
        {
            LogPlan(plan.Term, plan.Version, plan.Shards.Count);
        }

        return null;
    }

    private string? TakeRevocations(FoundRecord record)
    {
        return _credentials.ApplyRevocations(record.Value.Span) switch
        {
            RevocationOutcome.Applied => null,
            RevocationOutcome.Refused => "the revocations are not signed by the swarm's key",
            _ => "nothing newer",
        };
    }

    /// <summary>Runs rounds until stopped; one that fails is told of, and the next one comes all the same.</summary>
    private async Task Repeat(string what, Func<CancellationToken, Task> round, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await round(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogRoundFailed(what, e);
                await Task.Delay(_options.ProbeEvery, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
