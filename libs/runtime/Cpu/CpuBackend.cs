using System.Runtime.Intrinsics;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Cpu;

/// <summary>Creates the CPU backend for this machine.</summary>
public static class CpuBackend
{
    /// <summary>Version of docs/numerics.md that the kernels implement.</summary>
    public const int ArithmeticVersion = 1;

    /// <summary>Whether this processor can run the kernels at the given width.</summary>
    public static bool IsSupported(VectorWidth width) => width switch
    {
        VectorWidth.Best or VectorWidth.Scalar => true,
        VectorWidth.V128 => Isa128.IsSupported,
        VectorWidth.V256 => Isa256.IsSupported,
        VectorWidth.V512 => Isa512.IsSupported,
        _ => false,
    };

    /// <exception cref="PlatformNotSupportedException">The processor lacks the asked-for width.</exception>
    public static IComputeBackend Create(CpuBackendOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        var threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        var width = options.Width == VectorWidth.Best ? Widest() : options.Width;
        if (!IsSupported(width))
        {
            throw new PlatformNotSupportedException($"this processor has no {width} instructions");
        }

        return width switch
        {
            VectorWidth.V512 => new CpuBackend<Isa512, Vector512<float>, Vector512<int>>(threads, "AVX-512"),
            VectorWidth.V256 => new CpuBackend<Isa256, Vector256<float>, Vector256<int>>(threads, "AVX2"),
            VectorWidth.V128 => new CpuBackend<Isa128, Vector128<float>, Vector128<int>>(threads, "128-bit SIMD"),
            _ => new CpuBackend<IsaScalar, float, int>(threads, "scalar"),
        };
    }

    private static VectorWidth Widest()
    {
        if (IsSupported(VectorWidth.V512))
        {
            return VectorWidth.V512;
        }

        if (IsSupported(VectorWidth.V256))
        {
            return VectorWidth.V256;
        }

        return IsSupported(VectorWidth.V128) ? VectorWidth.V128 : VectorWidth.Scalar;
    }
}
