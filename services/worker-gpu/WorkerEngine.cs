using Parallax.Hosting;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Devices;

namespace Parallax.Worker.Gpu;

/// <summary>Loads the engine that a worker serves.</summary>
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
        var limits = new ExecutorOptions();
        if (options.MaxBatch is { } batch)
        {
            limits = limits with
            {
                MaxBatch = batch,
                MaxSessions = Math.Max(limits.MaxSessions, batch),
                TokenBudget = Math.Max(limits.TokenBudget, batch),
            };
        }

        return LocalEngine.Load(
            new LocalEngineOptions
            {
                ModelPath = options.Model,
                ContextLimit = options.ContextLimit,
                Threads = options.Threads,
                Executor = limits,
            },
            samplers,
            progress,
            cancellationToken: cancellationToken);
    }
}
