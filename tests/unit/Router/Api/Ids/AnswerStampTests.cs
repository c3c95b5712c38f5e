using Parallax.Router.Api.Ids;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.UnitTests.Router.Api.Ids;

public class AnswerStampTests
{
    private static readonly NumericClass Numerics = new(1, "0123456789abcdef", ResidualPrecision.BF16, "cpu");
    private static readonly SamplingParameters Sampling = new() { MaxTokens = 10, Seed = 3 };
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    [Fact]
    public void Of_TheSame_IsTheSame() => Assert.Equal(Of(Numerics, [1, 2], Sampling), Of(Numerics with { }, [1, 2], Sampling with { }));

    [Fact]
    public void Of_WhateverChangesTheAnswer_IsAnother()
    {
        var stamps = new List<AnswerStamp>
        {
            Of(Numerics, [1, 2], Sampling),
            Of(Numerics, [1, 3], Sampling),
            Of(Numerics, [1], Sampling),
            Of(Numerics with { WeightsHash = "0123456789abcdff" }, [1, 2], Sampling), // beyond what the fingerprint shows
            Of(Numerics with { Links = LinkPrecision.Blocks8 }, [1, 2], Sampling),
            Of(Numerics with { Residual = ResidualPrecision.F32 }, [1, 2], Sampling),
            Of(Numerics with { Backend = "cuda" }, [1, 2], Sampling),
            Of(Numerics with { ArithmeticVersion = 2 }, [1, 2], Sampling),
        };
        SamplingParameters[] others =
        [
            Sampling with { Temperature = 0.5f }, Sampling with { TopK = 1 }, Sampling with { TopP = 0.5f }, Sampling with { MinP = 0.5f },
            Sampling with { RepetitionPenalty = 2 }, Sampling with { PresencePenalty = 1 }, Sampling with { FrequencyPenalty = 1 },
            Sampling with { LogitBias = [KeyValuePair.Create(1, 2f)] }, Sampling with { LogitBias = [KeyValuePair.Create(1, 2.0000002f)] },
            Sampling with { Seed = 4 }, Sampling with { TopLogProbs = 0 }, Sampling with { TopLogProbs = 1 },
            Sampling with { StopTokenIds = [5] }, Sampling with { StopTokenIds = [5, 6] }, Sampling with { MinTokens = 1 }, Sampling with { MaxTokens = 11 },
        ];
        stamps.AddRange(others.Select(static other => Of(Numerics, [1, 2], other)));

        Assert.Equal(stamps.Count, stamps.Distinct().Count());
    }

    private static AnswerStamp Of(NumericClass numerics, int[] prompt, SamplingParameters sampling) => AnswerStamp.Of(Now, numerics, prompt, sampling, run: 0);
}
