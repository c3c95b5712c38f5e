using System.Collections.Concurrent;

namespace Parallax.Cli.Chaos.Network;

/// <summary>
/// The network between the processes of a local swarm: a relay in front of each process, and gates for each ordered pair
/// of them. Thread-safe.
/// </summary>
internal sealed class FaultNetwork : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string From, string To), Gate> _gates = new();
    private readonly List<FaultRelay> _relays = [];

    /// <summary>A relay to a process that is dialled by one other alone.</summary>
    /// <returns>The port to dial.</returns>
    public int AddRelay(string target, int port, string dialler) => Add(new FaultRelay(this, target, port, dialler));

    /// <summary>A relay to a worker that other workers dial, who say in their Hello who they are.</summary>
    /// <returns>The port to dial.</returns>
    public int AddLinkRelay(string target, int port) => Add(new FaultRelay(this, target, port, dialler: null));

    /// <summary>The gate of what one process sends to another.</summary>
    public Gate Between(string from, string to) => _gates.GetOrAdd((from, to), static _ => new Gate());

    /// <summary>Resets the connections between two processes, whoever has dialled.</summary>
    /// <returns>How many there were.</returns>
    public int Cut(string one, string other) => _relays.Sum(relay => relay.Cut(one, other));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var relay in _relays)
        {
            await relay.DisposeAsync();
        }
    }

    private int Add(FaultRelay relay)
    {
        _relays.Add(relay);
        return relay.Port;
    }
}
