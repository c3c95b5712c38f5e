using Parallax.Hosting;

namespace Parallax.Worker.Gpu.Devices;

/// <summary>The devices this worker knows.</summary>
internal static class WorkerDevice
{
    /// <summary>Checks that a device can be used by this build.</summary>
    /// <exception cref="DeviceUnavailableException">It cannot; the message says what is missing.</exception>
    public static void Require(string device)
    {
        if (device == "cuda")
        {
            throw new DeviceUnavailableException(
                "--device cuda: this build holds no CUDA backend (the TorchSharp backend and its CUDA libraries are "
                + "missing). Use --device cpu.");
        }
    }
}
