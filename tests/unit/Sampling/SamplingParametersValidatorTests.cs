using Parallax.Runtime.Sampling;

namespace Parallax.UnitTests.Sampling;

public sealed class SamplingParametersValidatorTests
{
    private static readonly SamplingParameters Good = new() { MaxTokens = 10 };

    public static TheoryData<SamplingParameters, string> Invalid { get; } = new()
    {
        { Good with { MaxTokens = 0 }, "MaxTokens is 0" },
        { Good with { MinTokens = -1 }, "MinTokens is -1" },
        { Good with { MinTokens = 11 }, "MinTokens is 11" },
        { Good with { TopK = -1 }, "TopK is -1" },
        { Good with { ChoiceIndex = -1 }, "ChoiceIndex is -1" },
        { Good with { Temperature = -0.1f }, "Temperature is -0.1" },
        { Good with { Temperature = float.NaN }, "Temperature is NaN" },
        { Good with { Temperature = float.PositiveInfinity }, "Temperature" },
        { Good with { TopP = 0 }, "TopP is 0" },
        { Good with { TopP = 1.1f }, "TopP is 1.1" },
        { Good with { TopP = float.NaN }, "TopP" },
        { Good with { MinP = -0.5f }, "MinP is -0.5" },
        { Good with { MinP = 1.5f }, "MinP is 1.5" },
        { Good with { MinP = float.NaN }, "MinP" },
        { Good with { RepetitionPenalty = 0 }, "RepetitionPenalty is 0" },
        { Good with { RepetitionPenalty = float.PositiveInfinity }, "RepetitionPenalty" },
        { Good with { PresencePenalty = float.NaN }, "PresencePenalty is NaN" },
        { Good with { FrequencyPenalty = float.NegativeInfinity }, "FrequencyPenalty" },
        { Good with { TopLogProbs = -1 }, "TopLogProbs is -1" },
        { Good with { TopLogProbs = 21 }, "TopLogProbs is 21" },
        { Good with { StopTokenIds = default }, "StopTokenIds" },
        { Good with { StopTokenIds = [1, 100] }, "stop token 100" },
        { Good with { LogitBias = default }, "LogitBias" },
        { Good with { LogitBias = [new(-1, 1f)] }, "token -1" },
        { Good with { LogitBias = [new(3, float.PositiveInfinity)] }, "bias of token 3" },
        { Good with { LogitBias = [new(3, float.NaN)] }, "bias of token 3" },
        { Good with { LogitBias = [new(3, 1f), new(4, 1f), new(3, 2f)] }, "token 3 is named twice" },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void FindError_OutOfRange_NamesTheParameter(SamplingParameters parameters, string named)
    {
        Assert.Contains(named, SamplingParametersValidator.FindError(parameters, 100), StringComparison.Ordinal);
        var error = Assert.Throws<SamplingException>(() => new TokenSamplerFactory().Create([1], parameters, 100));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FindError_Extremes_AreAllowed()
    {
        foreach (var parameters in new[]
        {
            Good,
            Good with { Temperature = 0, TopK = int.MaxValue, TopP = float.Epsilon, MinP = 1, TopLogProbs = 20, MinTokens = 10 },
            Good with { Temperature = 1e30f, RepetitionPenalty = 0.01f, PresencePenalty = -2, FrequencyPenalty = 2, TopLogProbs = 0 },
            Good with { LogitBias = [new(99, float.NegativeInfinity), new(0, -100f)], StopTokenIds = [0, 99] },
        })
        {
            Assert.Null(SamplingParametersValidator.FindError(parameters, 100));
        }
    }
}
