using System.Collections.Immutable;

namespace Parallax.KvClient.Instances;

/// <summary>The instances of the service that are there, as far as is known. Thread-safe.</summary>
public interface IKvInstances
{
    /// <summary>In order of their ids.</summary>
    ImmutableArray<KvInstance> Current { get; }

    /// <summary>Completes at the next change of <see cref="Current"/>: take this first, then look.</summary>
    Task Changed { get; }
}
