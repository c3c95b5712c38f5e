using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Transport.Flow;

public sealed class RingSimulationTests
{
    private const int Seeds = 3000;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Run_AllRulesAndRandomFaults_EveryTokenComesOnceInOrder(int stages)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var failure = new RingSimulation(seed, HopRules.All, stages).Run(faultySteps: seed % 4 * 100);
            Assert.True(failure is null, $"seed {seed}: {failure}");
        }
    }

    // Each rule is there because something breaks without it. Those that guard against storms and late frames, which the
    // other rules heal again in a ring this small, are shown one by one in HopTests.
    public static TheoryData<string> RulesThatTheRingNeeds => new(
        HopRules.StateOnResume.ToString(), HopRules.StateOnConnect.ToString(), HopRules.WaitForState.ToString(),
        HopRules.KeepStateWhileFenced.ToString(), HopRules.RebuildBelowApplied.ToString(), HopRules.WantMissing.ToString(),
        HopRules.SampleAgain.ToString(), HopRules.StaleNamesEpoch.ToString(), HopRules.GapCheck.ToString());

    [Theory]
    [MemberData(nameof(RulesThatTheRingNeeds))]
    public void Run_OneRuleOff_SomeRunFails(string rule)
    {
        var rules = HopRules.All & ~Enum.Parse<HopRules>(rule);
        for (var seed = 0; seed < Seeds; seed++)
        {
            if (new RingSimulation(seed, rules).Run(faultySteps: seed % 4 * 100) is not null)
            {
                return;
            }
        }

        Assert.Fail($"{Seeds} runs without {rule} all went well: the simulation does not show what the rule is for.");
    }
}
