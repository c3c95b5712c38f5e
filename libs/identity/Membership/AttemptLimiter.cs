using System.Net;
using System.Net.Sockets;

namespace Parallax.Identity.Membership;

/// <summary>
/// Lets each address do something a number of times in a window. Of IPv6 addresses the first 64 bits count, because a caller
/// has all of the rest. Bounded: when it knows too many addresses, further ones share one allowance. Thread-safe; the time
/// is a parameter.
/// </summary>
/// <param name="limit">Times per window.</param>
/// <param name="window">The window, from an address's first time on.</param>
/// <param name="maxAddresses">Addresses that it tells apart.</param>
internal sealed class AttemptLimiter(int limit, TimeSpan window, int maxAddresses = 4096)
{
    private readonly Lock _gate = new(); // guards the rest
    private readonly Dictionary<UInt128, (DateTimeOffset Start, int Count)> _addresses = [];
    private (DateTimeOffset Start, int Count) _others = (DateTimeOffset.MinValue, 0);

    /// <summary>Whether the address may once more; counts nothing.</summary>
    public bool IsAllowed(IPAddress? address, DateTimeOffset now)
    {
        var key = KeyOf(address);
        lock (_gate)
        {
            var known = _addresses.TryGetValue(key, out var entry);
            return (known ? CountOf(entry, now) : Overflows(now) ? CountOf(_others, now) : 0) < limit;
        }
    }

    /// <summary>Counts one time; false when the address has had its number already.</summary>
    public bool TryTake(IPAddress? address, DateTimeOffset now)
    {
        var key = KeyOf(address);
        lock (_gate)
        {
            if (!_addresses.TryGetValue(key, out var entry) && Overflows(now))
            {
                _others = Next(_others, now);
                return _others.Count <= limit;
            }

            entry = Next(entry, now);
            _addresses[key] = entry;
            return entry.Count <= limit;
        }
    }

    private static UInt128 KeyOf(IPAddress? address)
    {
        if (address is null)
        {
            return 0;
        }

        var bytes = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
        var key = UInt128.Zero;
        foreach (var value in address.AddressFamily == AddressFamily.InterNetworkV6 && bytes.Length == 16 ? bytes.AsSpan(0, 8) : bytes)
        {
            key = (key << 8) | value;
        }

        return (key << 8) | (byte)bytes.Length;
    }

    private int CountOf((DateTimeOffset Start, int Count) entry, DateTimeOffset now) => now - entry.Start < window ? entry.Count : 0;

    private (DateTimeOffset Start, int Count) Next((DateTimeOffset Start, int Count) entry, DateTimeOffset now) =>
        now - entry.Start < window ? (entry.Start, Math.Min(entry.Count + 1, limit + 1)) : (now, 1);

    // Under the lock.
    private bool Overflows(DateTimeOffset now)
    {
        if (_addresses.Count < maxAddresses)
        {
            return false;
        }

        foreach (var (key, entry) in _addresses)
        {
            if (now - entry.Start >= window)
            {
                _addresses.Remove(key);
            }
        }

        return _addresses.Count >= maxAddresses;
    }
}
