using System.CommandLine;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Hosting;

namespace Parallax.UnitTests.Chaos;

public sealed class ChaosOptionsTests
{
    [Fact]
    public void Read_Defaults_KillTheDemoModelsWorkers()
    {
        var plan = Read();
        Assert.Equal(["w0a", "w0b", "w1a", "w1b", "w2a", "w2b"], plan.Swarm.Workers.Select(static worker => worker.Id));
        Assert.Equal([(0, 2), (0, 2), (2, 5), (2, 5), (5, 8), (5, 8)], plan.Swarm.Workers.Select(static worker => (worker.Layers.Start, worker.Layers.End)));
        Assert.Equal(20, plan.MostFaults);
        Assert.False(plan.Swarm.WithRelays);
        Assert.All(plan.Faults.Take(100), static fault => Assert.Equal(FaultKind.Kill, fault.Kind));
    }

    [Fact]
    public void Read_FaultsOfTheNetwork_NeedRelays()
    {
        Assert.True(Read("--faults", "kill,drop").Swarm.WithRelays);
        Assert.False(Read("--faults", "kill,pause").Swarm.WithRelays);
    }

    [Fact]
    public void Read_AnyEnd_TakesTheStandardOneAway()
    {
        Assert.Null(Read("--duration", "10").MostFaults);
        Assert.Null(Read("--requests", "10").MostFaults);
        Assert.Equal(7, Read("--faults-total", "7", "--duration", "10").MostFaults);
    }

    [Fact]
    public void Read_SameSeed_SameFaults()
    {
        Assert.Equal(Read("--seed", "4").Faults.Take(50), Read("--seed", "4").Faults.Take(50));
        Assert.NotEqual(Read("--seed", "4").Faults.Take(50), Read("--seed", "5").Faults.Take(50));
    }

    [Fact]
    public void Read_TwoStages_HaveNoMiddle() => Assert.DoesNotContain(Read("--stages", "2").Faults.Take(100), static fault => fault.Victim.Role == VictimRole.Middle);

    [Fact]
    public void Read_Nonsense_IsNamedAllAtOnce()
    {
        var error = Assert.Throws<OptionsException>(() => Read(
            "--stages", "0", "--rate", "0", "--faults", "kill,fire", "--victims", "everybody", "--requests", "0", "--restart-after", "-1"));
        foreach (var option in new[] { "--stages", "--rate", "--faults: 'fire'", "--victims: 'everybody'", "--requests", "--restart-after" })
        {
            Assert.Contains(error.Errors, one => one.StartsWith(option, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Read_ScriptThatIsNotThere_IsNamed() =>
        Assert.StartsWith("--script: 'nowhere.txt'", Assert.Throws<OptionsException>(() => Read("--script", "nowhere.txt")).Message, StringComparison.Ordinal);

    private static ChaosPlan Read(params string[] arguments)
    {
        var options = new ChaosOptions();
        var command = new RootCommand();
        options.AddTo(command);
        return options.Read(command.Parse(arguments));
    }
}
