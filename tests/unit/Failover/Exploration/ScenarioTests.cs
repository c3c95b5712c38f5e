namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>
/// The scenarios of the session protocol (docs/failure-semantics.md): without the rule that closes it each of them breaks the
/// protocol, and with all rules none does.
/// </summary>
public sealed class ScenarioTests(ITestOutputHelper output)
{
    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Scenarios.All.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void Explore_WithoutItsRule_FindsWhatTheRuleIsFor(int index)
    {
        var scenario = Scenarios.All[index];

        var result = new Explorer(scenario.WithoutRules).Explore(200_000);

        output.WriteLine($"{scenario}: {result}");
        Assert.True(result.Violation is not null, $"{scenario}: without {scenario.Hop} {scenario.Session} {scenario.Shell} nothing was found in {result}");
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void Explore_AllRulesOn_FindsNothing(int index)
    {
        var scenario = Scenarios.All[index];

        var result = new Explorer(scenario.World).Explore(LongTests.Choose(24_000, 500_000));

        output.WriteLine($"{scenario}: {result}");
        Assert.True(result.Violation is null, $"{scenario}: {result}");
        Assert.True(result.Goals > 0 || !result.IsComplete, $"{scenario}: no end was reached in {result}");
    }
}
