using System.Collections.Concurrent;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;
using Parallax.Testing.Execution;
using Parallax.UnitTests.Cpu.Kernels;

namespace Parallax.UnitTests.Cpu;

/// <summary>Every kernel gives the same bits on every instruction set, and right ones.</summary>
public sealed class VectorWidthTests
{
    private static readonly VectorWidth[] Wide = [VectorWidth.V512, VectorWidth.V256, VectorWidth.V128];

    private static readonly ConcurrentDictionary<string, Lazy<float[][]>> ScalarResults = new();

    public static TheoryData<VectorWidth, string> WidthsAndKernels() =>
        [.. Wide.SelectMany(width => KernelCases.Names.Select(name => (width, name)))];

    public static TheoryData<string> Kernels() => [.. KernelCases.Names];

    /// <summary>Kernels that use multiply-add; the interleaved rotation and table rows do not go through it.</summary>
    public static TheoryData<string> FusedKernels() =>
        [.. KernelCases.Names.Where(name => name != "Rotate interleaved" && !name.StartsWith("Embed", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(WidthsAndKernels))]
    public void Kernel_AtEachWidth_GivesTheScalarBits(VectorWidth width, string kernel)
    {
        Assert.SkipUnless(CpuBackend.IsSupported(width), $"this processor has no {width} instructions");
        using var wide = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = width });
        Assert.Null(Difference(wide, kernel));
    }

    /// <summary>The arithmetic of version 1, written a second time: whoever changes a bit makes a new version.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void Kernel_ScalarForm_GivesTheBitsOfTheSpecification(string kernel)
    {
        Assert.Equal(1, CpuBackend.ArithmeticVersion);
        foreach (var (item, bits) in KernelCases.Of(kernel).Zip(Expected(kernel)))
        {
            Assert.True(Bits.Difference(item.Specified(), bits) is null, $"{item}: {Bits.Difference(item.Specified(), bits)}");
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Kernel_AgainstDoubleArithmetic_IsWithinItsTolerance(string kernel)
    {
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var worst = 0.0;
        foreach (var item in KernelCases.Of(kernel))
        {
            var error = item.WorstError(item.Run(backend));
            Assert.True(error <= 1, $"{item}: {error:F2} times the tolerance");
            worst = Math.Max(worst, error);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{kernel}: worst error {worst:F3} of the tolerance");
    }

    [Theory]
    [MemberData(nameof(FusedKernels))]
    public void Kernel_WithMultiplyAddRoundedTwice_IsFoundOut(string kernel)
    {
        using var unfused = new CpuBackend<UnfusedIsa<IsaScalar, float, int>, float, int>(1, "unfused");
        Assert.NotNull(Difference(unfused, kernel));
    }

    [Theory]
    [InlineData(TensorFormat.F32)]
    [InlineData(TensorFormat.BF16)]
    [InlineData(TensorFormat.Q4_1)]
    [InlineData(TensorFormat.Q6_K)]
    public void Linear_SummedInAnotherOrder_IsFoundOut(TensorFormat format)
    {
        // Columns that trade places within a lane (plain), or whole blocks (quantised): the same products, another order.
        const int Columns = 1024;
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var (here, reordered) = new LinearCase([format], [32], Columns, 3, 11, Bias: false, LinearCase.Kind.Store).Reordered(
            format.BlockElements() == 1
                ? k => Columns - 16 - (k / 16 * 16) + (k % 16)
                : k => Columns - format.BlockElements() - (k / format.BlockElements() * format.BlockElements()) + (k % format.BlockElements()));
        Assert.NotNull(Bits.Difference(here.Run(backend), reordered(backend)));
    }

    [Fact]
    public void SwiGlu_EveryWidth_GivesTheBitsOfTheScalarFunctions()
    {
        var item = new SwiGluCase(4, 20_000, 31);
        var expected = item.Specified();
        foreach (var width in Wide.Append(VectorWidth.Scalar).Where(CpuBackend.IsSupported))
        {
            using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = width });
            Assert.Null(Bits.Difference(expected, item.Run(backend)));
        }
    }

    /// <summary>The first case whose bits are not the scalar ones, or null.</summary>
    private static string? Difference(IComputeBackend backend, string kernel)
    {
        foreach (var (item, bits) in KernelCases.Of(kernel).Zip(Expected(kernel)))
        {
            if (Bits.Difference(bits, item.Run(backend)) is { } difference)
            {
                return $"{item}: {difference}";
            }
        }

        return null;
    }

    private static float[][] Expected(string kernel) => ScalarResults.GetOrAdd(kernel, name => new Lazy<float[][]>(() => Scalar(name))).Value;

    private static float[][] Scalar(string kernel)
    {
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = VectorWidth.Scalar });
        return [.. KernelCases.Of(kernel).Select(item => item.Run(backend))];
    }
}
