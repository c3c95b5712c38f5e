using Parallax.KvBlocks;
using Parallax.KvBlocks.Puts;

namespace Parallax.UnitTests.KvBlocks;

/// <summary>What a store without a disk should do, told plainly: lists, and a search for everything.</summary>
internal sealed class StoreModel(long budget, TimeSpan idleAfter)
{
    private readonly List<Tenant> _tenants = [];
    private readonly List<(long Id, TimeSpan Ends, List<Part> Parts)> _reservations = [];
    private readonly List<(long Id, TimeSpan Ends, List<Part> Parts)> _leases = [];

    public TimeSpan Now { get; set; }

    public long Used => _tenants.Sum(static tenant => tenant.Bytes);

    public IEnumerable<(TenantId Tenant, PartAddress Address)> Stored =>
        _tenants.SelectMany(static tenant => tenant.Order.Select(part => (tenant.Id, part.Address)));

    private long Reserved => _reservations.Sum(static one => one.Parts.Sum(static part => Cost(part.Length)));

    private long Pinned => _tenants.Sum(static tenant => tenant.Order.Where(static part => part.Pins > 0).Sum(static part => Cost(part.Length)));

    public List<ClaimState> Reserve(long id, TenantId id2, IEnumerable<PartClaim> claims, TimeSpan lease)
    {
        Expire();
        var tenant = _tenants.Find(one => one.Id == id2);
        if (tenant is null)
        {
            _tenants.Add(tenant = new Tenant(id2));
        }

        tenant.LastUse = Now;
        var states = new List<ClaimState>();
        var parts = new List<Part>();
        var open = (Id: id, Now + lease, parts);
        _reservations.Add(open);
        foreach (var claim in claims)
        {
            states.Add(Claim(tenant, claim, parts));
        }

        if (parts.Count == 0)
        {
            _reservations.Remove(open);
        }

        Forget();
        return states;
    }

    public void Write(long id, PartAddress address, long value)
    {
        Expire();
        foreach (var part in _reservations.Where(one => one.Id == id).SelectMany(static one => one.Parts).Where(part => part.Address == address))
        {
            part.Value = value;
        }
    }

    public int Commit(long id)
    {
        Expire();
        var index = _reservations.FindIndex(one => one.Id == id);
        if (index < 0)
        {
            return 0;
        }

        var parts = _reservations[index].Parts;
        _reservations.RemoveAt(index);
        var written = 0;
        foreach (var part in parts)
        {
            var tenant = part.Owner;
            tenant.Reserved.Remove(part);
            if (part.Value is null)
            {
                tenant.Siblings(part.Address.Hash).Remove(part);
                continue;
            }

            tenant.LastUse = Now;
            tenant.Add(part);
            written++;
        }

        Forget();
        return written;
    }

    public void Cancel(long id)
    {
        Expire();
        CancelCore(id);
    }

    public List<bool> Acquire(long id, TenantId tenant, IReadOnlyList<PartAddress> addresses, TimeSpan lease)
    {
        Expire();
        var held = Enumerable.Repeat(false, addresses.Count).ToList();
        if (_tenants.Find(one => one.Id == tenant) is not { } owner)
        {
            return held;
        }

        owner.LastUse = Now;
        var pinned = new List<Part>();
        for (var i = addresses.Count - 1; i >= 0; i--)
        {
            if (owner.Order.Find(part => part.Address == addresses[i]) is { } found)
            {
                held[i] = true;
                owner.Touch(found);
                if (found.Pins > 0 || Pinned + Cost(found.Length) <= budget / 2)
                {
                    found.Pins++;
                    pinned.Add(found);
                }
            }
        }

        if (pinned.Count > 0)
        {
            _leases.Add((id, Now + lease, pinned));
        }

        return held;
    }

    public void Release(long id)
    {
        Expire();
        ReleaseCore(id);
    }

    public List<bool> Lookup(TenantId tenant, IReadOnlyList<UInt128> chain, ChainQuery query)
    {
        Expire();
        if (_tenants.Find(one => one.Id == tenant) is not { } owner)
        {
            return [.. chain.Select(static _ => false)];
        }

        owner.LastUse = Now;
        var whole = chain.Select(hash => Wanted(query).All(want => owner.Order.Any(part => part.Address == new PartAddress(hash, want.Kind, want.Layer)))).ToList();
        for (var i = chain.Count - 1; i >= 0; i--)
        {
            if (whole[i])
            {
                foreach (var part in owner.Siblings(chain[i]).Where(owner.Order.Contains).ToList())
                {
                    owner.Touch(part);
                }
            }
        }

        return whole;
    }

    public long? Read(TenantId tenant, PartAddress address)
    {
        Expire();
        if (_tenants.Find(one => one.Id == tenant) is { } owner && owner.Order.Find(part => part.Address == address) is { } found)
        {
            owner.LastUse = Now;
            return found.Value;
        }

        return null;
    }

    private static IEnumerable<(PartKind Kind, int Layer)> Wanted(ChainQuery query) =>
        Enumerable.Range(query.LayerStart, query.LayerEnd - query.LayerStart).Select(static layer => (PartKind.Kv, layer))
            .Concat(query.WantsOutputs ? [(PartKind.Outputs, query.LayerEnd - 1)] : []);

    private static long Cost(int length) => BlockStore.MemoryCost(length);

    private ClaimState Claim(Tenant tenant, PartClaim claim, List<Part> parts)
    {
        if (tenant.Order.Find(part => part.Address == claim.Address) is { } stored)
        {
            tenant.Touch(stored);
            return ClaimState.Present;
        }

        if (tenant.Reserved.Exists(part => part.Address == claim.Address))
        {
            return ClaimState.Busy;
        }

        if (Reserved + Cost(claim.Length) > budget / 4)
        {
            return ClaimState.NoRoom;
        }

        var wanted = new Part(tenant, claim.Address, claim.Length, claim.Previous);
        tenant.Reserved.Add(wanted);
        while (Used > budget)
        {
            var share = budget / Math.Max(1, _tenants.Count(IsActive));
            var victim = _tenants.Where(static one => one.Order.Exists(static part => part.Pins == 0))
                .OrderByDescending(one => one.Bytes - (IsActive(one) ? share : 0)).ThenBy(static one => one.Id).FirstOrDefault();
            if (victim is null)
            {
                tenant.Reserved.Remove(wanted);
                return ClaimState.NoRoom;
            }

            var oldest = victim.Order.First(static part => part.Pins == 0);
            victim.Order.Remove(oldest);
            victim.Siblings(oldest.Address.Hash).Remove(oldest);
            Forget();
        }

        parts.Add(wanted);
        var siblings = tenant.Siblings(claim.Address.Hash);
        siblings.Insert(Math.Min(1, siblings.Count), wanted);
        return ClaimState.Reserved;
    }

    private bool IsActive(Tenant tenant) => tenant.LastUse >= Now - idleAfter;

    private void Expire()
    {
        foreach (var id in _reservations.Where(one => one.Ends <= Now).Select(static one => one.Id).ToList())
        {
            CancelCore(id);
        }

        foreach (var id in _leases.Where(one => one.Ends <= Now).Select(static one => one.Id).ToList())
        {
            ReleaseCore(id);
        }
    }

    private void CancelCore(long id)
    {
        foreach (var part in _reservations.Where(one => one.Id == id).SelectMany(static one => one.Parts))
        {
            part.Owner.Reserved.Remove(part);
            part.Owner.Siblings(part.Address.Hash).Remove(part);
        }

        _reservations.RemoveAll(one => one.Id == id);
        Forget();
    }

    private void ReleaseCore(long id)
    {
        foreach (var part in _leases.Where(one => one.Id == id).SelectMany(static one => one.Parts))
        {
            part.Pins--;
        }

        _leases.RemoveAll(one => one.Id == id);
    }

    private void Forget() => _tenants.RemoveAll(static tenant => tenant.Order.Count + tenant.Reserved.Count == 0);

    private sealed class Part(Tenant owner, PartAddress address, int length, UInt128 previous)
    {
        public Tenant Owner => owner;

        public PartAddress Address => address;

        public int Length => length;

        public UInt128 Previous => previous;

        public long? Value { get; set; }

        public int Pins { get; set; }
    }

    private sealed class Tenant(TenantId id)
    {
        private readonly Dictionary<UInt128, List<Part>> _siblings = [];

        public TenantId Id => id;

        public TimeSpan LastUse { get; set; }

        /// <summary>From the one that was used longest ago.</summary>
        public List<Part> Order { get; } = [];

        public List<Part> Reserved { get; } = [];

        public long Bytes => Order.Concat(Reserved).Sum(static part => Cost(part.Length));

        public List<Part> Siblings(UInt128 hash) => _siblings.TryGetValue(hash, out var found) ? found : _siblings[hash] = [];

        public void Touch(Part part)
        {
            Order.Remove(part);
            Order.Add(part);
        }

        /// <summary>As the newest, or just before the parts of the block that it follows that stand together.</summary>
        public void Add(Part part)
        {
            var before = part.Previous == UInt128.Zero ? null : Siblings(part.Previous).Find(Order.Contains);
            if (before is null)
            {
                Order.Add(part);
                return;
            }

            var at = Order.IndexOf(before);
            while (at > 0 && Order[at - 1].Address.Hash == part.Previous)
            {
                at--;
            }

            Order.Insert(at, part);
        }
    }
}
