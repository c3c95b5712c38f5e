using Parallax.Hosting;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Devices;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu;

/// <summary>Loads a whole model for <see cref="WorkerHosting"/>'s overload that takes an engine.</summary>
public static class WorkerEngine
{
    /// <summary>Loads the model onto the device. Blocks for as long as reading its weights takes.</summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be used by this build.</exception>
    /// <exception cref="Parallax.Runtime.Weights.ModelFormatException">The model cannot be read or is not supported.</exception>
    public static LocalEngine Load(
        WorkerOptions options,
        ITokenSamplerFactory samplers,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionsException.ThrowIfAny(options.Validate());
        WorkerDevice.Require(options.Device);
        var request = ShardRequest.First(options) ?? throw new OptionsException(["--no-model: there is nothing to load."]);
        return LocalEngine.Load(request.ToLoader(options.Threads), samplers, progress, cancellationToken: cancellationToken);
    }

    /// <summary>The engine's limits for a number of sessions computed together; null takes its defaults.</summary>
    internal static ExecutorOptions Limits(int? maxBatch)
    {
        var limits = new ExecutorOptions();
        return maxBatch is not { } batch ? limits : limits with
        {
            MaxBatch = batch,
            MaxSessions = Math.Max(limits.MaxSessions, batch),
            TokenBudget = Math.Max(limits.TokenBudget, batch),
        };
    }
}
