namespace Parallax.KvBlocks.Index;

/// <summary>Tenants by number; a number is used again when its tenant has nothing any more. Not thread-safe.</summary>
internal sealed class TenantTable
{
    private readonly Dictionary<TenantId, int> _numbers = [];
    private readonly List<Tenant?> _tenants = [];
    private readonly Stack<int> _free = new();

    /// <summary>All there are, in the order in which they came.</summary>
    public List<Tenant> All { get; } = [];

    public Tenant this[int number] => _tenants[number]!;

    /// <summary>A tenant's number; -1 when it has nothing.</summary>
    public int Find(TenantId id) => _numbers.TryGetValue(id, out var number) ? number : -1;

    /// <summary>A tenant's number; it gets one if it has none, and has been seen now.</summary>
    public int Open(TenantId id, TimeSpan now)
    {
        if (!_numbers.TryGetValue(id, out var number))
        {
            var tenant = new Tenant(id);
            if (_free.TryPop(out number))
            {
                _tenants[number] = tenant;
            }
            else
            {
                number = _tenants.Count;
                _tenants.Add(tenant);
            }

            _numbers.Add(id, number);
            All.Add(tenant);
        }

        _tenants[number]!.LastUse = now;
        return number;
    }

    /// <summary>Forgets a tenant that has nothing any more.</summary>
    public void Close(int number)
    {
        var tenant = _tenants[number]!;
        _numbers.Remove(tenant.Id);
        All.Remove(tenant);
        _tenants[number] = null;
        _free.Push(number);
    }
}
