using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>Finds a model's files on this machine, or gets them from elsewhere. Thread-safe.</summary>
internal interface IModelFinder
{
    /// <summary>Models that are here in whole or in part.</summary>
    IReadOnlyList<HeldModel> Held();

    /// <summary>The path to load from; what is not here of the layers is fetched first.</summary>
    /// <param name="model">Which.</param>
    /// <param name="range">The layers that are needed.</param>
    /// <param name="progress">Told how far a fetch is.</param>
    /// <param name="cancellationToken">Gives up; what was fetched stays for the next time.</param>
    /// <exception cref="Parallax.Runtime.ParallaxException">Nobody has it, or it cannot be stored.</exception>
    Task<string> FindAsync(ModelShape model, LayerRange range, IProgress<string> progress, CancellationToken cancellationToken);
}
