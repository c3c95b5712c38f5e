using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Lookup;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>
/// The protocol of one peer as a state machine: what happened goes in, with the time; calls to be made and results come
/// out of <see cref="TryTake"/>. No clock, no I/O; randomness is a parameter. Not thread-safe: one owner calls it.
/// </summary>
/// <remarks>
/// "Now" is always a reading of one monotonic clock. The owner makes each <see cref="CallToMake"/> and tells its end exactly
/// once, within its own timeout, and calls <see cref="Advance"/> a few times a second.
/// </remarks>
internal sealed partial class OverlayCore
{
    private readonly Queue<OverlayOutput> _outputs = [];
    private readonly Dictionary<long, PendingCall> _calls = [];
    private readonly List<OverlayOperation> _operations = [];
    private readonly CallerBudgets _budgets;
    private readonly IRecordSigner _signer;
    private readonly Random _random;
    private readonly long _incarnation;
    private long _lastCall;
    private long _lastOperation;
    private long _lastSequence;
    private int _userOperations;

    public OverlayCore(
        CoreSettings settings, PeerContact self, long incarnation, IReadOnlyList<Uri> bootstrap, IRecordSigner signer, IRecordVerifier verifier, Random random)
    {
        (Settings, Self, _incarnation, _signer, Verifier, _random) = (settings, self, incarnation, signer, verifier, random);
        Table = new RoutingTable(self.Id, settings.K, settings.Replacements, settings.PerNetwork, settings.Networks);
        Store = new RecordStore(settings.Quotas, verifier);
        _budgets = new CallerBudgets(settings.CallsPerSecond, settings.CallBurst, maxCallers: 4096);
        foreach (var address in bootstrap.Where(address => address != self.Address))
        {
            _rejoin.Add(new RejoinTarget(address, isBootstrap: true) { Pause = settings.FirstRetry });
        }
    }

    public CoreSettings Settings { get; }

    public PeerContact Self { get; }

    public RoutingTable Table { get; }

    public RecordStore Store { get; }

    public CoreStatistics Statistics { get; } = new();

    internal IRecordVerifier Verifier { get; }

    /// <summary>Whether another put, get or search may begin.</summary>
    public bool IsBusy => _userOperations >= Settings.MaxOperations;

    /// <summary>The next thing that is wanted; false: nothing.</summary>
    public bool TryTake(out OverlayOutput output) => _outputs.TryDequeue(out output!);

    /// <summary>Signs this peer's next record under a key, which takes the place of the one before. An empty value removes.</summary>
    public HeldRecord Seal(OverlayKey key, ReadOnlyMemory<byte> value, TimeSpan lease, TimeSpan now)
    {
        var record = SignedRecord.Sign(_signer, key, new RecordVersion(_incarnation, ++_lastSequence), lease, value);
        if (_publications.TryGetValue(key, out var publication))
        {
            publication.Record = record;
        }
        else
        {
            _publications[key] = publication = new Publication { Record = record };
        }

        publication.ExpiresAt = now + lease;
        return new HeldRecord(record, lease);
    }

    /// <summary>Stores the record that was sealed last under a key, and keeps it published; ends with <see cref="PutDone"/>.</summary>
    /// <returns>Names the operation.</returns>
    public long Put(OverlayKey key, TimeSpan now)
    {
        var publication = _publications[key];
        if (publication.ExpiresAt <= now)
        {
            Seal(key, publication.Record.Value, publication.Record.Lease, now);
        }

        var operation = ++_lastOperation;
        _userOperations++;
        Publish(key, publication, operation, now);
        return operation;
    }

    /// <summary>What this peer has sealed last under a key; null: nothing.</summary>
    public SignedRecord? Sealed(OverlayKey key) => _publications.GetValueOrDefault(key)?.Record;

    /// <summary>Keys under which this peer says something, or has removed it lately.</summary>
    public int Publications => _publications.Count;

    /// <summary>Reads what is under a key; ends with <see cref="GetDone"/>.</summary>
    /// <returns>Names the operation.</returns>
    public long Get(OverlayKey key, TimeSpan now)
    {
        var operation = ++_lastOperation;
        _userOperations++;
        Begin(new GetOperation(this, operation, key, now), now);
        return operation;
    }

    /// <summary>Looks for the peers closest to a target; ends with <see cref="FindDone"/>.</summary>
    /// <returns>Names the operation.</returns>
    public long Find(PeerId target, TimeSpan now)
    {
        var operation = ++_lastOperation;
        _userOperations++;
        Begin(new FindOperation(this, target, (peers, _) => Emit(new FindDone(operation, [.. peers])), now), now);
        return operation;
    }

    /// <summary>A call was answered.</summary>
    /// <param name="id">The call.</param>
    /// <param name="responder">Who answered: its certificate's id, or what it says.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="roundTrip">From call to answer.</param>
    /// <param name="now">The time.</param>
    public void Answered(long id, PeerId responder, OverlayAnswer answer, TimeSpan roundTrip, TimeSpan now)
    {
        if (!_calls.Remove(id, out var call))
        {
            return;
        }

        var contact = new PeerContact(responder, call.Address);
        if (responder != Self.Id)
        {
            Seen(contact, roundTrip, now);
        }

        if (call.Expected is { } expected && expected != responder)
        {
            // Somebody else has that address now.
            Statistics.Refuse(OverlayRefusal.WrongIdentity);
            Missed(expected, now);
            call.Operation.Failed(new PeerContact(expected, call.Address), now);
        }
        else
        {
            call.Operation.Answered(contact, answer, now);
        }

        DropFinished();
    }

    /// <summary>A call was not answered.</summary>
    public void Failed(long id, CallFailure failure, TimeSpan now)
    {
        if (!_calls.Remove(id, out var call))
        {
            return;
        }

        if (call.Expected is { } expected && failure == CallFailure.NoAnswer)
        {
            Missed(expected, now);
        }

        call.Operation.Failed(call.Expected is { } id2 ? new PeerContact(id2, call.Address) : null, now);
        DropFinished();
    }

    internal void Call(OverlayOperation operation, PeerContact peer, OverlayRequest request, TimeSpan now) =>
        Call(operation, peer.Id, peer.Address, request);

    internal void Emit(OverlayOutput output)
    {
        _userOperations -= output is PutDone or GetDone or FindDone ? 1 : 0;
        _outputs.Enqueue(output);
    }

    internal PeerLookup StartLookup(PeerId target, TimeSpan now)
    {
        Table.Touch(target, now);
        var closest = Table.Closest(target, Settings.K);
        // Where all owe an answer, asking them is better than asking nobody.
        return new PeerLookup(
            target, Self, closest.Count > 0 ? closest : Table.Entries.Select(static entry => entry.Contact), Settings.Alpha, Settings.SlowAfter);
    }

    /// <summary>Gives a peer records that it lacks.</summary>
    internal void HandOver(PeerContact peer, IReadOnlyList<HeldRecord> records, TimeSpan now)
    {
        var operation = new HandOverOperation(this, peer, new RecordBatches(records, Settings, now));
        operation.Start(now);
        Begin(operation, now);
    }

    private void Call(OverlayOperation operation, PeerId? expected, Uri address, OverlayRequest request)
    {
        var id = ++_lastCall;
        _calls.Add(id, new PendingCall(operation, expected, address));
        Emit(new CallToMake(id, expected, address, request));
    }

    private void Begin(OverlayOperation operation, TimeSpan now)
    {
        operation.Advance(now);
        if (!operation.IsDone)
        {
            _operations.Add(operation);
        }
    }

    private void Publish(OverlayKey key, Publication publication, long? operation, TimeSpan now)
    {
        publication.IsPublished = true;
        var lease = publication.Record.Lease;
        var interval = lease / 3 < Settings.RepublishInterval ? lease / 3 : Settings.RepublishInterval;
        publication.RepublishAt = now + (interval * (0.9 + (0.1 * _random.NextDouble())));
        var held = new HeldRecord(publication.Record, publication.ExpiresAt - now);
        Statistics.Refuse(Store.Put(held, null, now));
        Begin(new StoreOperation(this, operation, key, new RecordBatches([held], Settings, now), now), now);
    }

    private void DropFinished() => _operations.RemoveAll(static operation => operation.IsDone);

    private readonly record struct PendingCall(OverlayOperation Operation, PeerId? Expected, Uri Address);
}
