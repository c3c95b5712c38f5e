namespace Parallax.Testing;

/// <summary>What code allocates once it is warm.</summary>
public static class Allocations
{
    private const int Rounds = 5;

    /// <summary>
    /// Bytes that the thriftiest of five rounds allocates on this thread. Not those of one round: the runtime allocates on a
    /// thread that calls a method whose code was compiled anew, and on a busy machine that is in whichever round.
    /// </summary>
    public static long OfWarm(Action round)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
