using Parallax.Overlay.Protocol;

namespace Parallax.UnitTests.Overlay;

public sealed class CallerBudgetsTests
{
    [Fact]
    public void TryTake_BurstUsedUp_WaitsForTheRate()
    {
        var budgets = new CallerBudgets(perSecond: 2, burst: 3, maxCallers: 10);
        Assert.All(Enumerable.Range(0, 3), _ => Assert.True(budgets.TryTake("a", 1, default)));
        Assert.False(budgets.TryTake("a", 1, default));
        Assert.True(budgets.TryTake("b", 1, default));
        Assert.False(budgets.TryTake("a", 1, TimeSpan.FromSeconds(0.4)));
        Assert.True(budgets.TryTake("a", 1, TimeSpan.FromSeconds(0.5)));
    }

    [Fact]
    public void TryTake_ManyCallers_StaysBounded()
    {
        var budgets = new CallerBudgets(perSecond: 1, burst: 2, maxCallers: 3);
        Assert.All(Enumerable.Range(0, 3), i => Assert.True(budgets.TryTake($"caller {i}", 2, default)));
        Assert.False(budgets.TryTake("newcomer", 1, default));
        Assert.True(budgets.TryTake("newcomer", 1, TimeSpan.FromSeconds(2)));
        Assert.InRange(budgets.Callers, 1, 3);
    }
}
