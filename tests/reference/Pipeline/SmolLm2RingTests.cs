using Parallax.Pipeline.Stages;
using Parallax.ReferenceTests.Execution;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Testing.Pipeline;

namespace Parallax.ReferenceTests.Pipeline;

/// <summary>A real chat model over 2 to 6 stages and 512 tokens: the bits of the whole model.</summary>
public sealed class SmolLm2RingTests(SmolLm2Fixture fixture) : IClassFixture<SmolLm2Fixture>
{
    public static TheoryData<ResidualPrecision> Classes() => [.. Enum.GetValues<ResidualPrecision>()];

    [Theory]
    [MemberData(nameof(Classes))]
    public void Run_TwoToSixStages_GivesTheBitsOfTheWholeModel(ResidualPrecision precision)
    {
        SmolLm2Fixture.SkipWhenAbsent();
        var check = new PipelineCheck(fixture.Model, fixture.PlainBackend, precision, Sessions()) { KvTokens = 1536 };
        int[][] all = precision == ResidualPrecision.BF16 ? [[15], [7, 19], [3, 11, 24], [6, 12, 18, 24], [1, 2, 9, 17, 29]] : [[7, 19], [1, 2, 9, 17, 29]];
        foreach (var cuts in all)
        {
            Assert.Null(check.Difference(cuts, seed: cuts.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Run_AnyNumberOfMicroBatches_GivesTheBitsOfTheWholeModel(ResidualPrecision precision)
    {
        SmolLm2Fixture.SkipWhenAbsent();
        int[] all = precision == ResidualPrecision.BF16 ? [1, 2] : [2]; // each run takes many seconds
        foreach (var microBatches in all)
        {
            var check = new PipelineCheck(fixture.Model, fixture.PlainBackend, precision, Sessions())
            {
                KvTokens = 1536,
                Options = new StageEngineOptions { MicroBatches = microBatches },
            };
            Assert.Null(check.Difference([10, 20], seed: microBatches, faults: 3));
        }
    }

    /// <summary>One of 512 tokens, most of them decoded; one that is mostly prompt; both at once.</summary>
    private (int[] Prompt, SamplingParameters Sampling)[] Sessions()
    {
        var random = new Random(5);
        var vocabulary = fixture.Model.Spec.VocabularySize;
        return
        [
            (Ids(224), new SamplingParameters { MaxTokens = 288, Temperature = 0 }),
            (Ids(480), new SamplingParameters { MaxTokens = 32, Temperature = 1, Seed = 9, TopLogProbs = 2 }),
        ];

        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }
}
