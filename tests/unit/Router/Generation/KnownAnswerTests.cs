using Parallax.Router.Api;
using Parallax.Router.Api.Ids;
using Parallax.Router.Generation;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.UnitTests.Router.Generation;

public class KnownAnswerTests
{
    private static readonly NumericClass Exact = new(1, "00", ResidualPrecision.BF16, "cpu");
    private static readonly SamplingParameters Sampling = new() { MaxTokens = 6, StopTokenIds = [9] };

    [Fact]
    public void Of_NothingHeld_BeginsAnewAboveEarlierTerms()
    {
        var known = KnownAnswer.Of(null, Text(3), Sampling, Exact, TimeSpan.FromSeconds(2));

        Assert.Empty(known.Ids);
        Assert.False(known.IsComplete);
        Assert.Equal(2002, known.Term);
        Assert.Equal(2, KnownAnswer.Of(null, Text(3), Sampling, Exact, TimeSpan.FromSeconds(-5)).Term); // a clock that lags behind
    }

    [Fact]
    public void Of_Held_GoesOnFromAllOfItAtAHigherTerm()
    {
        var known = KnownAnswer.Of(Held(5000, 1, 2, 3), Text(1), Sampling, Exact, TimeSpan.FromSeconds(2));

        Assert.Equal([1, 2, 3], known.Ids);
        Assert.Equal(5001, known.Term);
        Assert.False(known.IsComplete);
    }

    [Fact]
    public void Of_HeldToItsEnd_IsComplete()
    {
        Assert.Equal("stop", Of(Held(1, 1, 2, 9)).Finish);
        Assert.Equal("length", Of(Held(1, 1, 2, 3, 4, 5, 6)).Finish);
        Assert.Equal("stop", Of(Held(1, 1, 2, 3, 4, 5, 9)).Finish);
        Assert.Equal([1, 9], Of(Held(1, 1, 9, 3)).Ids); // what a head should not have sent
        Assert.Equal(6, Of(Held(1, 1, 2, 3, 4, 5, 6, 7)).Ids.Length);
    }

    [Fact]
    public void Of_WithLogProbs_GoesOnFromWhereTheClientIs()
    {
        var sampling = Sampling with { TopLogProbs = 0 };

        var known = KnownAnswer.Of(Held(1, 1, 2, 3, 9), Text(1), sampling, Exact, TimeSpan.Zero);
        Assert.Equal([1, 2], known.Ids);
        Assert.False(known.IsComplete);

        Assert.Equal("stop", KnownAnswer.Of(Held(1, 1, 2, 9), Text(2), sampling, Exact, TimeSpan.Zero).Finish);
        Assert.Equal([1], KnownAnswer.Of(Held(1, 1), Text(2), sampling, Exact, TimeSpan.Zero).Ids);
    }

    [Theory]
    [InlineData("cuda", LinkPrecision.Exact)]
    [InlineData("cpu", LinkPrecision.Blocks8)]
    public void Of_ClientAheadInAClassThatIsNotExact_IsRefusedWithTheFigures(string backend, LinkPrecision links)
    {
        var inexact = new NumericClass(1, "00", ResidualPrecision.BF16, backend) { Links = links };

        var error = Assert.Throws<ApiException>(() => KnownAnswer.Of(Held(1, 1, 2), Text(2), Sampling, inexact, TimeSpan.Zero));
        Assert.Equal(409, error.Status);
        Assert.Contains("has 3 tokens of choice 0, the workers still hold 2", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], KnownAnswer.Of(Held(1, 1, 2, 3), Text(2), Sampling, inexact, TimeSpan.Zero).Ids);
        Assert.Equal(2, KnownAnswer.Of(Held(1, 1, 2), Text(2), Sampling, Exact, TimeSpan.Zero).Ids.Length);
    }

    private static KnownAnswer Of(HeldAnswer held) => KnownAnswer.Of(held, Text(0), Sampling, Exact, TimeSpan.Zero);

    private static ChoiceProgress Text(int lastIndex) => new(lastIndex, ChoicePart.Text);

    private static HeldAnswer Held(long term, params int[] ids) => new(new Epoch(term, Guid.Empty, 3), [.. ids]);
}
