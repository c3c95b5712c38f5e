using Parallax.ReferenceTests.Execution;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Testing;
using Parallax.Testing.Blocks;

namespace Parallax.ReferenceTests.Blocks;

/// <summary>Every reference model: blocks carried to another cut and another instruction set keep every bit.</summary>
public sealed class BlockTransferTests
{
    public static TheoryData<string, ResidualPrecision> Models() =>
        GoldenModel.InBothClasses(GoldenModel.Folders(folder => File.Exists(Path.Combine(folder, "config.json")) && GoldenModel.IsSupported(folder)));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Models))]
    public void Transfer_OtherCutAndWidth_GivesEqualBits(string relative, ResidualPrecision precision)
    {
        using var model = GoldenModel.OpenOrSkip(TestData.PathOf(relative));
        using var best = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var scalar = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = VectorWidth.Scalar });
        var layers = model.Spec.Layers.Length;
        var tokens = Enumerable.Range(0, 75).Select(i => (i * 31) % Math.Min(200, model.Spec.VocabularySize)).ToArray();
        Assert.Null(BlockTransferCheck.Difference(model, best, [], scalar, [1], precision, tokens));
        Assert.Null(BlockTransferCheck.Difference(model, best, [layers - 1], best, [layers / 2], precision, tokens));
    }
}
