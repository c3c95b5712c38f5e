using Parallax.Router.Api;
using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;

namespace Parallax.UnitTests.Router.Generation;

public class GenerationPlanTests
{
    private static readonly ChatRequest Request = new() { Model = "demo", Messages = [new ChatMessage("user", "x")] };

    [Fact]
    public void ToSampling_NothingAsked_TakesTheModelsAdviceAndTheDrawnSeed()
    {
        var sampling = Plan(Request, defaults: new GenerationDefaults { Temperature = 0.7f, TopP = 0.9f, TopK = 20, EosTokenIds = [9, 3] });

        Assert.Equal(0.7f, sampling.Temperature);
        Assert.Equal(0.9f, sampling.TopP);
        Assert.Equal(20, sampling.TopK);
        Assert.Equal(77UL, sampling.Seed);
        Assert.Equal([3, 9], sampling.StopTokenIds);
        Assert.Equal(90, sampling.MaxTokens);
    }

    [Fact]
    public void ToSampling_NothingAskedNorAdvised_IsTheApisDefault()
    {
        Assert.Equal(1f, Plan(Request).Temperature);
        Assert.Equal(0f, Plan(Request, defaults: new GenerationDefaults { DoSample = false, Temperature = 0.7f }).Temperature);
    }

    [Fact]
    public void ToSampling_Asked_OverridesTheAdvice()
    {
        var sampling = Plan(Request with { Temperature = 0, Seed = 5, MaxTokens = 7 }, defaults: new GenerationDefaults { Temperature = 0.7f });

        Assert.Equal(0f, sampling.Temperature);
        Assert.Equal(5UL, sampling.Seed);
        Assert.Equal(7, sampling.MaxTokens);
    }

    [Fact]
    public void ToSampling_IgnoreEos_KeepsOnlyTheAskedStopIds()
    {
        var sampling = Plan(Request with { IgnoreEos = true, StopTokenIds = [4] }, defaults: new GenerationDefaults { EosTokenIds = [9] });

        Assert.Equal([4], sampling.StopTokenIds);
    }

    [Theory]
    [InlineData(100, null, "100")]
    [InlineData(200, null, "200")]
    [InlineData(10, 91, "101")]
    public void ToSampling_TooLong_NamesTheFigures(int prompt, int? maxTokens, string figure)
    {
        var error = Assert.Throws<ApiException>(() => Plan(Request with { MaxTokens = maxTokens }, prompt));

        Assert.Equal(400, error.Status);
        Assert.Equal("context_length_exceeded", error.Code);
        Assert.Contains(figure, error.Message, StringComparison.Ordinal);
        Assert.Contains("100", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToSampling_IdsOutsideTheVocabulary_AreRefusedByName()
    {
        Assert.Equal("logit_bias", Assert.Throws<ApiException>(() => Plan(Request with { LogitBias = [KeyValuePair.Create(258, 1f)] })).Param);
        Assert.Equal("stop_token_ids", Assert.Throws<ApiException>(() => Plan(Request with { StopTokenIds = [258] })).Param);
        Assert.Equal("min_tokens", Assert.Throws<ApiException>(() => Plan(Request with { MinTokens = 91 })).Param);
    }

    private static SamplingParameters Plan(ChatRequest request, int prompt = 10, GenerationDefaults? defaults = null) =>
        GenerationPlan.ToSampling(
            request,
            prompt,
            defaults ?? new GenerationDefaults(),
            new PathOffer(new NumericClass(1, "00", ResidualPrecision.BF16, "cpu"), 100, 10, 258),
            drawnSeed: 77);
}
