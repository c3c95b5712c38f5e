using Parallax.Contracts.V1;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.UnitTests.Swarm;

/// <summary>Plans that a worker follows only get newer.</summary>
public sealed class PlanFloorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-").FullName;

    private string File => Path.Combine(_folder, "plan");

    [Fact]
    public void A_lower_term_or_version_is_refused()
    {
        var floor = new PlanFloor(null);
        Assert.Equal("none", floor.ToString());
        Assert.True(floor.TryRaise(Plan(2, 5)));
        Assert.True(floor.TryRaise(Plan(2, 5)));
        Assert.False(floor.TryRaise(Plan(2, 4)));
        Assert.False(floor.TryRaise(Plan(1, 99)));
        Assert.True(floor.TryRaise(Plan(3, 1)));
        Assert.Equal("3.1", floor.ToString());
    }

    [Fact]
    public void It_survives_a_restart()
    {
        Assert.True(new PlanFloor(File).TryRaise(Plan(2, 5)));

        var later = new PlanFloor(File);
        Assert.Equal("2.5", later.ToString());
        Assert.False(later.TryRaise(Plan(2, 4)));
        Assert.True(later.TryRaise(Plan(2, 6)));
        Assert.Equal("2.6", new PlanFloor(File).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("2")]
    [InlineData("2 x")]
    [InlineData("-1 5")]
    [InlineData("1 2 3")]
    public void A_damaged_file_is_said_and_not_taken_for_none(string text)
    {
        System.IO.File.WriteAllText(File, text);
        Assert.Contains(File, Assert.Throws<InvalidDataException>(() => new PlanFloor(File)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static PlanRecord Plan(long term, long version) => new() { Term = term, Version = version };
}
