using System.Collections;
using System.Collections.Immutable;
using Parallax.KvBlocks.Buffers;
using Parallax.KvBlocks.Index;
using Parallax.KvBlocks.Leases;
using Parallax.KvBlocks.Puts;
using Parallax.Transport.Framing;

namespace Parallax.KvBlocks;

/// <summary>
/// Parts of KV blocks under a budget of bytes, in memory and, with a <see cref="Disk.DiskTier"/>, on disk. A put has two phases:
/// room is reserved, the bytes are written, and what was committed can be read, all of it or, where a part's bytes did not come, the rest. A part
/// that is there is not put again: the first one stays, whose bits are the same by the meaning of its hash. Parts are told apart by
/// tenant first: nobody finds, replaces or keeps out another tenant's. What it decides follows from the calls and the clock alone. Thread-safe.
/// </summary>
public sealed partial class BlockStore : IDisposable
{
    /// <summary>What a part costs in the memory tier beside its buffer: the objects around the bytes and its slot in the index.</summary>
    public const int PartOverhead = 192;

    private const int IdleShare = 16; // of the memory budget, for buffers between two uses
    private const int ReservedShare = 4; // of the memory budget, for parts that are being written
    private const int PinnedShare = 2; // of the memory budget, for parts that leases keep

    private readonly Lock _gate = new(); // guards all below
    private readonly BlockStoreOptions _options;
    private readonly TimeProvider _clock;
    private readonly long _origin;
    private readonly PartBufferPool _pool;
    private readonly PartIndex _index;
    private readonly TenantTable _tenants = new();
    private readonly Dictionary<long, OpenReservation> _reservations = [];
    private readonly Dictionary<long, OpenLease> _leases = [];
    private readonly Expiries _reservationEnds = new();
    private readonly Expiries _leaseEnds = new();
    private long _lastId;
    private long _memoryBytes;
    private long _reservedBytes;
    private long _pinnedBytes;
    private int _stored;
    private readonly StoreCounts _counts = new();

    /// <param name="options">Valid ones.</param>
    /// <param name="clock">Clock.</param>
    public BlockStore(BlockStoreOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(' ', errors), nameof(options));
        }

        _options = options;
        _clock = clock;
        _origin = clock.GetTimestamp();
        _pool = new PartBufferPool(options.MemoryBytes / IdleShare);
        _index = new PartIndex(options.Seed);
    }

    /// <summary>What it holds and has done.</summary>
    public StoreStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return new StoreStatistics
                {
                    Parts = _stored,
                    Tenants = _tenants.All.Count,
                    MemoryBytes = _memoryBytes,
                    ReservedBytes = _reservedBytes,
                    DiskBytes = _diskBytes,
                    Unwritten = _unwritten.Count,
                    Puts = _counts.Puts,
                    Hits = _counts.Hits,
                    DiskHits = _counts.DiskHits,
                    Misses = _counts.Misses,
                    MemoryEvictions = _counts.MemoryEvictions,
                    Lost = _counts.Lost,
                    DiskEvictions = _counts.DiskEvictions,
                    Corrupt = _counts.Corrupt,
                    Expired = _counts.Expired,
                };
            }
        }
    }

    private TimeSpan Now => _clock.GetElapsedTime(_origin);

    /// <summary>A buffer for a part's bytes, of the caller.</summary>
    /// <param name="length">1 to <see cref="PartLimits.MostPartBytes"/>.</param>
    public PartBuffer Rent(int length) => _pool.Rent(length);

    /// <summary>What a part of a length counts for in the memory tier's budget.</summary>
    public static long MemoryCost(int length) => PartBufferPool.CapacityOf(length) + PartOverhead;

    /// <summary>The first phase of a put: finds room, by giving up what others have not used for long.</summary>
    /// <param name="tenant">Whose parts.</param>
    /// <param name="claims">The parts, <see cref="PartLimits.MostParts"/> at most.</param>
    /// <param name="lease">How long the reservation holds; <see cref="PartLimits.LongestLease"/> at most.</param>
    public ReservationResult Reserve(TenantId tenant, ReadOnlySpan<PartClaim> claims, TimeSpan lease)
    {
        CheckLease(lease);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(claims.Length, PartLimits.MostParts);
        var states = ImmutableArray.CreateBuilder<ClaimState>(claims.Length);
        lock (_gate)
        {
            var now = ExpireCore();
            var owner = _tenants.Open(tenant, now);
            var slots = new Dictionary<PartAddress, int>();
            foreach (ref readonly var claim in claims)
            {
                states.Add(ClaimCore(owner, claim, slots));
            }

            if (slots.Count == 0)
            {
                CloseIfEmpty(owner);
                return new ReservationResult(0, states.MoveToImmutable());
            }

            var reservation = new OpenReservation(++_lastId, now + lease, slots);
            _reservations.Add(reservation.Id, reservation);
            _reservationEnds.Add(reservation.Id, reservation.ExpiresAt);
            return new ReservationResult(reservation.Id, states.MoveToImmutable());
        }
    }

    /// <summary>The second phase: a part's bytes.</summary>
    /// <param name="reservation">Of <see cref="Reserve"/>.</param>
    /// <param name="address">The part.</param>
    /// <param name="payload">Its bytes. Taken over, whatever comes of it.</param>
    /// <param name="checksum">Their CRC-32C, as whoever made them says; it is compared.</param>
    public WriteState Write(long reservation, in PartAddress address, PartBuffer payload, uint checksum)
    {
        ArgumentNullException.ThrowIfNull(payload);
        var state = Crc32C.Compute(payload.Span) == checksum ? WriteState.Written : WriteState.WrongChecksum;
        lock (_gate)
        {
            ExpireCore();
            if (!_reservations.TryGetValue(reservation, out var open) || !open.Slots.TryGetValue(address, out var slot))
            {
                state = WriteState.NotReserved;
            }
            else if (_index[slot].Length != payload.Length)
            {
                state = WriteState.WrongLength;
            }
            else if (state == WriteState.Written)
            {
                ref var part = ref _index[slot];
                (payload, part.Buffer) = (part.Buffer!, payload); // what was written before, if anything, goes
                part.Checksum = checksum;
            }
        }

        payload?.Dispose();
        return state;
    }

    /// <summary>The end of a put: what was written can be read from here on.</summary>
    /// <returns>How many parts that are; what was reserved and not written is given up. 0 also when the reservation's time is over.</returns>
    public int Commit(long reservation)
    {
        lock (_gate)
        {
            var now = ExpireCore();
            if (!_reservations.Remove(reservation, out var open))
            {
                return 0;
            }

            var committed = 0;
            foreach (var slot in open.Slots.Values)
            {
                ref var part = ref _index[slot];
                var cost = MemoryCost(part.Length);
                _reservedBytes -= cost;
                if (part.Buffer is null)
                {
                    GiveBack(slot, cost);
                    continue;
                }

                part.State = SlotState.Stored;
                _stored++;
                var owner = _tenants[part.Tenant];
                owner.LastUse = now;
                RecencyLists.Add(_index, owner, slot, Tier.Memory);
                EnqueueUnwritten(slot);
                committed++;
            }

            _counts.Puts += committed;
            return committed;
        }
    }

    /// <summary>Gives a reservation up.</summary>
    public void Cancel(long reservation)
    {
        lock (_gate)
        {
            ExpireCore();
            CancelCore(reservation);
        }
    }

    /// <summary>
    /// Keeps parts where they are for a while, as far as half of the memory tier is enough for all leases. They count as used, the last
    /// one first: name them from the beginning of a chain on.
    /// </summary>
    /// <param name="tenant">Whose parts.</param>
    /// <param name="addresses">Which, <see cref="PartLimits.MostParts"/> at most.</param>
    /// <param name="lease">How long; <see cref="PartLimits.LongestLease"/> at most.</param>
    public PartLease Acquire(TenantId tenant, ReadOnlySpan<PartAddress> addresses, TimeSpan lease)
    {
        CheckLease(lease);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(addresses.Length, PartLimits.MostParts);
        var held = ImmutableArray.CreateBuilder<bool>(addresses.Length);
        lock (_gate)
        {
            var now = ExpireCore();
            var owner = _tenants.Find(tenant);
            var slots = new List<(int Slot, uint Generation)>();
            held.Count = addresses.Length;
            if (owner >= 0)
            {
                _tenants[owner].LastUse = now;
            }

            for (var i = addresses.Length - 1; owner >= 0 && i >= 0; i--)
            {
                var slot = _index.Find(addresses[i], owner);
                held[i] = slot != PartSlot.None && _index[slot].State == SlotState.Stored;
                if (held[i])
                {
                    Touch(_tenants[owner], slot);
                    if (TryPin(slot))
                    {
                        slots.Add((slot, _index[slot].Generation));
                    }
                }
            }

            if (slots.Count == 0)
            {
                return new PartLease(0, held.MoveToImmutable());
            }

            var open = new OpenLease(++_lastId, now + lease, slots);
            _leases.Add(open.Id, open);
            _leaseEnds.Add(open.Id, open.ExpiresAt);
            return new PartLease(open.Id, held.MoveToImmutable());
        }
    }

    /// <summary>Gives a lease back; one that is over already changes nothing.</summary>
    public void Release(long lease)
    {
        lock (_gate)
        {
            ExpireCore();
            ReleaseCore(lease);
        }
    }

    /// <summary>
    /// Says which blocks of a chain are whole. Those that lead the chain count as used, the end of the run first, so that its beginning is given up last.
    /// </summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="chain">Hashes from the beginning of the chain, <see cref="PartLimits.MostBlocks"/> at most.</param>
    /// <param name="query">A valid one.</param>
    public ChainPresence Lookup(TenantId tenant, ReadOnlySpan<UInt128> chain, ChainQuery query)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chain.Length, PartLimits.MostBlocks);
        if (!query.IsValid)
        {
            throw new ArgumentException("There are no such layers.", nameof(query));
        }

        var whole = new BitArray(chain.Length);
        var leading = 0;
        lock (_gate)
        {
            var now = ExpireCore();
            var owner = _tenants.Find(tenant);
            if (owner < 0)
            {
                return new ChainPresence(0, whole);
            }

            for (var i = 0; i < chain.Length; i++)
            {
                whole[i] = IsWhole(_index.FindBlock(chain[i], owner), query);
                leading += whole[i] && leading == i ? 1 : 0;
            }

            _tenants[owner].LastUse = now;
            for (var i = chain.Length - 1; i >= 0; i--)
            {
                // Blocks beyond a gap may be part of a run whose other blocks another store holds: they are used with it.
                if (whole[i])
                {
                    TouchBlock(owner, chain[i]);
                }
            }
        }

        return new ChainPresence(leading, whole);
    }

    /// <summary>Reads a part, from memory or from disk. What is read often is to be acquired, which counts as use.</summary>
    /// <returns>The part; null when it is not there, or not as it was written.</returns>
    public async ValueTask<StoredPart?> ReadAsync(TenantId tenant, PartAddress address, CancellationToken cancellationToken)
    {
        // A part that moves from one segment to another while it is read is looked up again, which cannot go on for long.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            PartPlace place;
            lock (_gate)
            {
                var now = ExpireCore();
                var owner = _tenants.Find(tenant);
                var slot = owner < 0 ? PartSlot.None : _index.Find(address, owner);
                if (slot == PartSlot.None || _index[slot].State != SlotState.Stored)
                {
                    break;
                }

                ref var part = ref _index[slot];
                _tenants[owner].LastUse = now;
                if (part.Buffer is { } buffer)
                {
                    _counts.Hits++;
                    return new StoredPart(buffer.Share(), part.Checksum, part.Previous);
                }

                place = new PartPlace(slot, part.Generation, part.Segment, part.Offset, part.Length, part.Checksum, part.Previous);
            }

            var payload = _pool.Rent(place.Length);
            try
            {
                var read = await _disk!.ReadAsync(
                    place.Segment, place.Offset, new ScannedPart(tenant, address, place.Length, place.Previous), place.Checksum, payload, cancellationToken);
                if (read == DiskRead.Ok)
                {
                    OnReadFromDisk(place, payload);
                    var result = new StoredPart(payload, place.Checksum, place.Previous);
                    payload = null;
                    return result;
                }

                if (read == DiskRead.Bad)
                {
                    ForgetCorrupt(place);
                    break;
                }
            }
            finally
            {
                payload?.Dispose();
            }
        }

        lock (_gate)
        {
            _counts.Misses++;
        }

        return null;
    }

    /// <summary>Looks at the index bit by bit: for whoever copies parts elsewhere.</summary>
    /// <param name="from">Where the last call ended; 0 to begin.</param>
    /// <param name="steps">How much of the index to look at.</param>
    /// <param name="found">Parts that can be read are added here.</param>
    /// <returns>Where to go on; 0 when the end is reached.</returns>
    public int Scan(int from, int steps, ICollection<ScannedPart> found)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        lock (_gate)
        {
            var end = (int)Math.Min((long)from + steps, _index.Extent);
            for (var slot = from; slot < end; slot++)
            {
                ref var part = ref _index[slot];
                if (part.State == SlotState.Stored)
                {
                    found.Add(new ScannedPart(_tenants[part.Tenant].Id, part.Address, part.Length, part.Previous));
                }
            }

            return end >= _index.Extent ? 0 : end;
        }
    }

    /// <summary>Gives up all that is held in memory.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            for (var slot = 0; slot < _index.Extent; slot++)
            {
                var buffer = _index[slot].Buffer;
                _index[slot].Buffer = null;
                buffer?.Dispose();
            }
        }
    }

    private static void CheckLease(TimeSpan lease)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lease, PartLimits.LongestLease);
    }

    private ClaimState ClaimCore(int owner, in PartClaim claim, Dictionary<PartAddress, int> slots)
    {
        if (!claim.Address.IsValid || claim.Length is < 1 or > PartLimits.MostPartBytes)
        {
            return ClaimState.Invalid;
        }

        var known = _index.Find(claim.Address, owner);
        if (known != PartSlot.None)
        {
            if (_index[known].State == SlotState.Reserved)
            {
                return ClaimState.Busy;
            }

            Touch(_tenants[owner], known);
            return ClaimState.Present;
        }

        var cost = MemoryCost(claim.Length);
        var tenant = _tenants[owner];
        if (_reservedBytes + cost > _options.MemoryBytes / ReservedShare)
        {
            return ClaimState.NoRoom;
        }

        // Booked before room is made, so that who wants it counts with what it wants.
        _memoryBytes += cost;
        tenant[Tier.Memory].Bytes += cost;
        tenant.Parts++;
        if (!Evict(Tier.Memory, _memoryBytes - _options.MemoryBytes))
        {
            _memoryBytes -= cost;
            tenant[Tier.Memory].Bytes -= cost;
            tenant.Parts--;
            return ClaimState.NoRoom;
        }

        _reservedBytes += cost;
        slots.Add(claim.Address, _index.Add(claim.Address, owner, claim.Length, claim.Previous));
        return ClaimState.Reserved;
    }

    /// <summary>Frees a slot that is in no list, and what it was booked with in the memory tier.</summary>
    private void GiveBack(int slot, long cost)
    {
        var owner = _index[slot].Tenant;
        _memoryBytes -= cost;
        _tenants[owner][Tier.Memory].Bytes -= cost;
        RemoveSlot(slot);
    }

    private void RemoveSlot(int slot)
    {
        ref var part = ref _index[slot];
        var owner = part.Tenant;
        if (part.Pins > 0)
        {
            _pinnedBytes -= MemoryCost(part.Length); // it was corrupt: no lease keeps that
        }

        _index.Remove(slot);
        _tenants[owner].Parts--;
        CloseIfEmpty(owner);
    }

    private void CloseIfEmpty(int owner)
    {
        if (_tenants[owner].Parts == 0)
        {
            _tenants.Close(owner);
        }
    }

    private void CancelCore(long reservation)
    {
        if (!_reservations.Remove(reservation, out var open))
        {
            return;
        }

        foreach (var slot in open.Slots.Values)
        {
            var cost = MemoryCost(_index[slot].Length);
            _reservedBytes -= cost;
            var buffer = _index[slot].Buffer;
            GiveBack(slot, cost);
            buffer?.Dispose();
        }
    }

    private void ReleaseCore(long lease)
    {
        if (!_leases.Remove(lease, out var open))
        {
            return;
        }

        foreach (var (slot, generation) in open.Slots)
        {
            ref var part = ref _index[slot];
            if (part.Generation == generation && --part.Pins == 0)
            {
                _pinnedBytes -= MemoryCost(part.Length);
            }
        }
    }

    private bool TryPin(int slot)
    {
        ref var part = ref _index[slot];
        if (part.Pins == 0)
        {
            var cost = MemoryCost(part.Length);
            if (_pinnedBytes + cost > _options.MemoryBytes / PinnedShare)
            {
                return false;
            }

            _pinnedBytes += cost;
        }

        part.Pins++;
        return true;
    }

    private bool IsWhole(int block, ChainQuery query)
    {
        // All parts of a block that are asked for are different ones, so that counting them is enough.
        var missing = query.LayerEnd - query.LayerStart + (query.WantsOutputs ? 1 : 0);
        for (var slot = block; slot != PartSlot.None && missing > 0; slot = _index[slot].NextOfBlock)
        {
            ref var part = ref _index[slot];
            var isWanted = part.Kind == PartKind.Kv
                ? part.Layer >= query.LayerStart && part.Layer < query.LayerEnd
                : query.WantsOutputs && part.Layer == query.LayerEnd - 1;
            missing -= isWanted && part.State == SlotState.Stored ? 1 : 0;
        }

        return missing == 0;
    }

    private void TouchBlock(int owner, UInt128 hash)
    {
        var tenant = _tenants[owner];
        for (var slot = _index.FindBlock(hash, owner); slot != PartSlot.None; slot = _index[slot].NextOfBlock)
        {
            Touch(tenant, slot);
        }
    }

    private void Touch(Tenant tenant, int slot)
    {
        if (RecencyLists.IsIn(_index[slot], Tier.Memory))
        {
            RecencyLists.Touch(_index, tenant, slot, Tier.Memory);
        }

        if (RecencyLists.IsIn(_index[slot], Tier.Disk))
        {
            RecencyLists.Touch(_index, tenant, slot, Tier.Disk);
        }
    }

    /// <summary>Ends what is over; the time.</summary>
    private TimeSpan ExpireCore()
    {
        var now = Now;
        var expired = 0;
        while (_reservationEnds.TryTake(now, out var reservation))
        {
            expired += _reservations.ContainsKey(reservation) ? 1 : 0;
            CancelCore(reservation);
        }

        while (_leaseEnds.TryTake(now, out var lease))
        {
            expired += _leases.ContainsKey(lease) ? 1 : 0;
            ReleaseCore(lease);
        }

        _counts.Expired += expired;
        return now;
    }

    /// <summary>Where a part is on disk, and which use of its slot that is.</summary>
    private readonly record struct PartPlace(int Slot, uint Generation, int Segment, uint Offset, int Length, uint Checksum, UInt128 Previous);
}
