using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Testing.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>Every reference model that is a folder (those that cannot be run are reported by <see cref="GoldenLogitsTests"/>): bitwise the same in any batch, in any chunks, cut anywhere.</summary>
public sealed class ModelInvarianceTests
{
    public static TheoryData<string, ResidualPrecision> Models() =>
        GoldenModel.InBothClasses(GoldenModel.Folders(folder => File.Exists(Path.Combine(folder, "config.json")) && GoldenModel.IsSupported(folder)));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Models))]
    public void Forward_AnyScheduleOrCut_GivesTheBitsOfTheWholeAlone(string relative, ResidualPrecision precision)
    {
        using var model = ModelSource.Open(TestData.PathOf(relative));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var isSmall = model.Spec.HiddenSize <= 64;
        var options = new ShardChainOptions { Residual = precision, LogitsAt = isSmall ? null : position => position % 5 == 0 };
        var check = new InvarianceCheck(model, backend, options, isSmall ? 90 : 36, isSmall ? 9 : 2);
        Assert.Null(check.Chunked());
        Assert.Null(check.Crowd(seed: 1));
        Assert.Null(check.DecodeRows());
        foreach (var threads in (int[])[2, 3])
        {
            using var more = CpuBackend.Create(new CpuBackendOptions { Threads = threads });
            Assert.Null(check.Crowd(more, seed: threads));
        }

        var layers = model.Spec.Layers.Length;
        IEnumerable<int[]> cuts = layers <= 5
            ? Enumerable.Range(1, (1 << (layers - 1)) - 1).Select(mask => Enumerable.Range(1, layers - 1).Where(layer => ((mask >> (layer - 1)) & 1) != 0).ToArray())
            : [.. Enumerable.Range(1, layers - 1).Select(layer => new[] { layer }), [1, 2], [2, 3, layers - 1], [.. Enumerable.Range(1, layers - 1)]];
        Assert.All(cuts, cut => Assert.Null(check.Cut(cut)));
    }
}
