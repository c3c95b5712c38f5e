using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;

namespace Parallax.UnitTests.KvCache;

public class BlockHashTests
{
    private static readonly NumericClass Class = new(1, "ab12", ResidualPrecision.BF16, "cpu");

    [Fact]
    public void RootAndChain_KnownInput_GiveTheSpecifiedBits()
    {
        // Computed apart (Python hashlib, struct): these values must never change for version parallax-kv/1.
        var root = BlockHash.Root(Class, "salt");
        var chained = BlockHash.Chain(root, [.. Enumerable.Range(100, 16)]);

        Assert.Equal(UInt128.Parse("b3a44980cab84445dc8ebaa481fdc45b", System.Globalization.NumberStyles.HexNumber), root);
        Assert.Equal(UInt128.Parse("f3795a035372c4311c315271e1370b6a", System.Globalization.NumberStyles.HexNumber), chained);
    }

    [Fact]
    public void Root_AnyPartDiffers_Differs()
    {
        UInt128[] roots =
        [
            BlockHash.Root(Class, ""),
            BlockHash.Root(Class, "a"),
            BlockHash.Root(Class with { ArithmeticVersion = 2 }, ""),
            BlockHash.Root(Class with { WeightsHash = "ab13" }, ""),
            BlockHash.Root(Class with { Residual = ResidualPrecision.F32 }, ""),
            BlockHash.Root(Class with { Backend = "cuda" }, ""),
            BlockHash.Root(Class with { WeightsHash = "ab12c", Backend = "pu" }, ""),
        ];

        Assert.Equal(roots.Length, roots.Distinct().Count());
    }
}
