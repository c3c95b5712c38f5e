using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Router.Routing;

public class PathPolicyTests
{
    private static readonly WorkerOffer Whole = new("demo", true, new NumericClass(1, "00", ResidualPrecision.BF16, "cpu"), 100, 10, 258, 1);

    [Fact]
    public void Choose_NobodyServes_IsNull()
    {
        Assert.Null(PathPolicy.Choose("demo", []));
        Assert.Null(PathPolicy.Choose("demo", [new("a", null, 0), new("b", Whole with { IsWhole = false }, 0), new("c", Whole with { Model = "x" }, 0)]));
    }

    [Fact]
    public void Choose_LeastLoadedRelativeToRoom_Wins()
    {
        Assert.Equal(1, PathPolicy.Choose("demo", [new("a", Whole, 2), new("b", Whole with { MaxSessions = 100 }, 5), new("c", null, 0)]));
    }

    [Fact]
    public void Choose_Tie_GoesToTheFirstAddressInAnyOrder()
    {
        Assert.Equal(0, PathPolicy.Choose("demo", [new("a", Whole, 1), new("b", Whole, 1)]));
        Assert.Equal(1, PathPolicy.Choose("demo", [new("b", Whole, 1), new("a", Whole, 1)]));
    }
}
