using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;

namespace Parallax.ModelFiles.Shapes;

/// <summary>A device's figures as records carry them.</summary>
public static class DeviceMapping
{
    /// <summary>The record's message.</summary>
    /// <param name="figures">What was measured.</param>
    /// <param name="region">Where the machine stands, as far as told.</param>
    public static Device ToWire(this DeviceFigures figures, string region = "")
    {
        ArgumentNullException.ThrowIfNull(figures);
        return new Device
        {
            Kind = figures.Kind,
            Description = figures.Description,
            MemoryBytes = figures.MemoryBytes,
            Tflops = figures.Tflops,
            BandwidthGbps = figures.BandwidthGBps,
            Threads = figures.Threads,
            FailureDomain = figures.FailureDomain,
            Region = region,
        };
    }
}
