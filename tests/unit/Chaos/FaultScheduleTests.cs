using Parallax.Cli.Chaos.Faults;

namespace Parallax.UnitTests.Chaos;

public sealed class FaultScheduleTests
{
    private static readonly FaultPlan Plan = new(
        Seed: 5, Rate: 2, [.. Enum.GetValues<FaultKind>()], [new(VictimRole.Head), new(VictimRole.Tail), new(VictimRole.Router)], Stages: 3);

    [Fact]
    public void Draw_SameSeed_SameFaults()
    {
        Assert.Equal(FaultSchedule.Draw(Plan).Take(200), FaultSchedule.Draw(Plan).Take(200));
        Assert.NotEqual(FaultSchedule.Draw(Plan).Take(200), FaultSchedule.Draw(Plan with { Seed = 6 }).Take(200));
    }

    [Fact]
    public void Draw_Rate_IsKeptOnAverageAndFaultsComeInOrder()
    {
        var faults = FaultSchedule.Draw(Plan).TakeWhile(static fault => fault.At < TimeSpan.FromSeconds(1000)).ToList();
        Assert.InRange(faults.Count, 1800, 2200);
        Assert.Equal(faults.OrderBy(static fault => fault.At), faults);
    }

    [Fact]
    public void Draw_Gaps_AreNowShortNowLong()
    {
        var faults = FaultSchedule.Draw(Plan).Take(500).ToList();
        var gaps = faults.Zip(faults.Skip(1)).Select(static pair => (pair.Second.At - pair.First.At).TotalSeconds).ToList();
        Assert.Contains(gaps, static gap => gap < 0.05); // also while the one before is being recovered from
        Assert.Contains(gaps, static gap => gap > 1.5);
    }

    [Fact]
    public void Draw_Kinds_AllComeAndNoOthers()
    {
        Assert.Equal(Enum.GetValues<FaultKind>(), FaultSchedule.Draw(Plan).Take(200).Select(static fault => fault.Kind).Distinct().Order());
        var kills = FaultSchedule.Draw(Plan with { Kinds = [FaultKind.Kill] }).Take(200).ToList();
        Assert.All(kills, static fault => Assert.Equal(FaultKind.Kill, fault.Kind));
        Assert.Equal(Plan.Victims.Order(Comparer<Victim>.Create(static (a, b) => a.Role.CompareTo(b.Role))), kills.Select(static fault => fault.Victim).Distinct().OrderBy(static victim => victim.Role));
    }

    [Fact]
    public void Draw_EveryFault_IsOneThatAScriptCouldName()
    {
        foreach (var fault in FaultSchedule.Draw(Plan).Take(500))
        {
            // What a script says in text has three decimals and no draw.
            Assert.Equal(fault.ToString(), FaultScript.Parse(fault.ToString(), "s", [], 3).Single().ToString());
        }
    }

    [Fact]
    public void Draw_TwoStages_NamesNoMiddle() =>
        Assert.DoesNotContain(FaultSchedule.Draw(Plan with { Stages = 2 }).Take(500), static fault => fault.Victim.Role == VictimRole.Middle || fault.Other?.Role == VictimRole.Middle);
}
