using CsCheck;
using Parallax.Cli.Bench;

namespace Parallax.UnitTests.Cli;

public sealed class BenchPlanTests
{
    [Fact]
    public void Prompt_AnyTwoSessionsOrRepetitions_ShareNoFirstBlock()
    {
        var seen = new HashSet<string>();
        for (var repetition = 0; repetition < 6; repetition++)
        {
            for (var session = 0; session < 32; session++)
            {
                Assert.True(seen.Add(string.Join(',', BenchPlan.Prompt(16, 49152, repetition, session))));
            }
        }
    }

    [Fact]
    public void Prompt_AnyVocabulary_HoldsOnlyItsIds() =>
        Gen.Select(Gen.Int[1, 200_000], Gen.Int[0, 100], Gen.Int[0, 100_000]).Sample((vocabulary, repetition, session) =>
            BenchPlan.Prompt(64, vocabulary, repetition, session).All(id => id >= 0 && id < vocabulary));

    [Fact]
    public void Within_LongContext_ChangesNothing() => Assert.Equal(BenchPlan.Full, BenchPlan.Full.Within(640));

    [Fact]
    public void Within_AnyContext_FitsAndMeasuresSomething() => Gen.Int[8, 4096].Sample(context =>
    {
        var plan = BenchPlan.Full.Within(context);
        return plan.LongestSession <= context
            && plan.PrefillTokens >= 2
            && plan.DecodeTokens >= 2
            && plan.BatchPromptTokens >= 1
            && plan.BatchDecodeTokens >= 2;
    });

    [Fact]
    public void KvTokens_FullPlan_HoldsSixteenSessions() => Assert.Equal(16 * 128, BenchPlan.Full.KvTokens);

    [Theory]
    [InlineData("0.40 0.5 0.6 1/100 7", 2, false)]
    [InlineData("0.60 0.5 0.6 1/100 7", 2, true)]
    [InlineData("3.9 0.5 0.6 1/100 7", 16, false)]
    [InlineData("nonsense", 2, false)]
    public void Busyness_LoadOfTheLastMinute_IsComparedWithTheProcessors(string loadAverage, int processors, bool warns) =>
        Assert.Equal(warns, Machine.Busyness(loadAverage, processors) is not null);
}
