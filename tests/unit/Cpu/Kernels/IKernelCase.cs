using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>One use of a kernel through the backend, with fixed inputs.</summary>
internal interface IKernelCase
{
    /// <summary>All that the kernel wrote.</summary>
    float[] Run(IComputeBackend backend);

    /// <summary>The same from <see cref="Specification"/>.</summary>
    float[] Specified();

    /// <summary>The largest error of a result against f64 arithmetic, in units of the kernel's stated tolerance.</summary>
    double WorstError(float[] result);
}
