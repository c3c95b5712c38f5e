namespace Parallax.Runtime.Sampling;

/// <summary>
/// Random numbers that are a function of their position, so that a session can go on anywhere after an interruption:
/// Philox 4x32 with 10 rounds, from J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy
/// as 1, 2, 3" (SC 2011).
/// </summary>
public static class CounterRng
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD251_1F53;
    private const uint Multiplier1 = 0xCD9E_8D57;
    private const uint KeyStep0 = 0x9E37_79B9;
    private const uint KeyStep1 = 0xBB67_AE85;

    /// <summary>A number in [0, 1) with 53 random bits, for one token of one choice of one request.</summary>
    /// <param name="seed">The request's seed.</param>
    /// <param name="choiceIndex">Which of its n choices.</param>
    /// <param name="tokenIndex">Index within the answer.</param>
    public static double Uniform(ulong seed, int choiceIndex, int tokenIndex)
    {
        var block = Block(new PhiloxCounter((uint)tokenIndex, (uint)choiceIndex, 0, 0), (uint)seed, (uint)(seed >> 32));
        return (((ulong)block.Word1 << 32 | block.Word0) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>Philox 4x32-10 of a counter under a key.</summary>
    internal static PhiloxCounter Block(PhiloxCounter counter, uint key0, uint key1)
    {
        var (word0, word1, word2, word3) = counter;
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * word0;
            var product1 = (ulong)Multiplier1 * word2;
            word0 = (uint)(product1 >> 32) ^ word1 ^ key0;
            word1 = (uint)product1;
            word2 = (uint)(product0 >> 32) ^ word3 ^ key1;
            word3 = (uint)product0;
            key0 = unchecked(key0 + KeyStep0);
            key1 = unchecked(key1 + KeyStep1);
        }

        return new PhiloxCounter(word0, word1, word2, word3);
    }

    /// <summary>Four words: a position going in, random bits coming out.</summary>
    internal readonly record struct PhiloxCounter(uint Word0, uint Word1, uint Word2, uint Word3);
}
