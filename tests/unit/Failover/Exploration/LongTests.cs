namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>Whether tests take the time that their long form needs: PARALLAX_LONG_TESTS=1.</summary>
internal static class LongTests
{
    public static bool AreOn { get; } = Environment.GetEnvironmentVariable("PARALLAX_LONG_TESTS") == "1";

    public static int Choose(int shortForm, int longForm) => AreOn ? longForm : shortForm;
}
