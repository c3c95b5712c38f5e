using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;

namespace Parallax.KvClient.Instances;

/// <summary>A link to each instance that there is, made when first needed and closed when its instance is gone. Thread-safe.</summary>
internal sealed class InstanceLinks(SwarmCredentials credentials, KvClientOptions options) : IDisposable
{
    private readonly Lock _gate = new(); // guards both below
    private readonly Dictionary<PeerId, InstanceLink> _links = [];
    private bool _isDisposed;

    private long _arrivals; // counted under the locks of links

    /// <summary>How often an instance has come, or answered again after it had failed.</summary>
    public long Arrivals => Interlocked.Read(ref _arrivals);

    /// <summary>The links to these instances, in their order; all others are closed.</summary>
    public ImmutableArray<InstanceLink> To(ImmutableArray<KvInstance> instances)
    {
        var links = ImmutableArray.CreateBuilder<InstanceLink>(instances.Length);
        List<InstanceLink> closed = [];
        lock (_gate)
        {
            if (_isDisposed)
            {
                return [];
            }

            foreach (var instance in instances)
            {
                if (!_links.TryGetValue(instance.Id, out var link) || link.Instance.Address != instance.Address)
                {
                    if (link is not null)
                    {
                        closed.Add(link);
                    }

                    _links[instance.Id] = link = new InstanceLink(instance, credentials, options, OnArrived);
                    OnArrived();
                }

                links.Add(link);
            }

            if (_links.Count > instances.Length)
            {
                foreach (var gone in _links.Keys.Except(instances.Select(static instance => instance.Id)).ToList())
                {
                    closed.Add(_links[gone]);
                    _links.Remove(gone);
                }
            }
        }

        closed.ForEach(static link => link.Dispose());
        return links.MoveToImmutable();
    }

    public void Dispose()
    {
        List<InstanceLink> closed;
        lock (_gate)
        {
            _isDisposed = true;
            closed = [.. _links.Values];
            _links.Clear();
        }

        closed.ForEach(static link => link.Dispose());
    }

    private void OnArrived() => Interlocked.Increment(ref _arrivals);
}
