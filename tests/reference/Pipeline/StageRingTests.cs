using Parallax.Pipeline.Stages;
using Parallax.ReferenceTests.Execution;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Testing;
using Parallax.Testing.Pipeline;

namespace Parallax.ReferenceTests.Pipeline;

/// <summary>Every reference model that is a folder, in rings of one stage per layer and fewer: the bits of the whole model.</summary>
public sealed class StageRingTests
{
    public static TheoryData<string, ResidualPrecision> Models() =>
        GoldenModel.InBothClasses(GoldenModel.Folders(folder => File.Exists(Path.Combine(folder, "config.json")) && GoldenModel.IsSupported(folder)));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Models))]
    public void Run_AnyCut_GivesTheBitsOfTheWholeModel(string relative, ResidualPrecision precision)
    {
        using var model = ModelSource.Open(TestData.PathOf(relative));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var layers = model.Spec.Layers.Length;
        int[][] cuts = layers switch
        {
            <= 4 => [[1], [2], [layers - 1], [1, 2], [.. Enumerable.Range(1, layers - 1)]],
            _ => [[1], [layers / 2], [1, 3], [2, 3, layers - 1], [.. Enumerable.Range(1, Math.Min(5, layers - 1))]],
        };
        foreach (var microBatches in (int?[])[1, 3])
        {
            var check = new PipelineCheck(model, backend, precision, Sessions(model.Spec.VocabularySize))
            {
                Options = new StageEngineOptions { MicroBatches = microBatches },
            };
            foreach (var cut in cuts.Where(cut => cut[^1] < layers).DistinctBy(cut => string.Join(' ', cut)))
            {
                Assert.Null(check.Difference(cut, seed: 1));
                Assert.Null(check.Difference(cut, seed: 2, faults: 10));
            }
        }
    }

    private static (int[] Prompt, SamplingParameters Sampling)[] Sessions(int vocabulary)
    {
        var random = new Random(3);
        return
        [
            .. Enumerable.Range(0, 4).Select(i => (
                Enumerable.Range(0, 5 + (i * 17)).Select(_ => random.Next(vocabulary)).ToArray(),
                new SamplingParameters { MaxTokens = 6 + i, Temperature = i % 2, Seed = (ulong)i })),
        ];
    }
}
