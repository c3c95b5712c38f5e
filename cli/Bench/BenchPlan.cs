using System.Collections.Immutable;

namespace Parallax.Cli.Bench;

/// <summary>What is measured, how often. The same for each subject.</summary>
/// <param name="Repetitions">How often; the median counts.</param>
/// <param name="PrefillTokens">Prompt length of the single session.</param>
/// <param name="DecodeTokens">Tokens that the single session decodes after it.</param>
/// <param name="BatchPromptTokens">Prompt length of each session of a batch.</param>
/// <param name="BatchDecodeTokens">Tokens that each session of a batch generates.</param>
/// <param name="BatchSizes">Sessions at once.</param>
internal sealed record BenchPlan(
    int Repetitions,
    int PrefillTokens,
    int DecodeTokens,
    int BatchPromptTokens,
    int BatchDecodeTokens,
    ImmutableArray<int> BatchSizes)
{
    /// <summary>The figures that docs/benchmarks.md reports.</summary>
    public static BenchPlan Full { get; } = new(5, 512, 128, 32, 96, [1, 4, 8, 16]);

    /// <summary>A look in seconds.</summary>
    public static BenchPlan Quick { get; } = new(2, 128, 32, 16, 32, [1, 4]);

    /// <summary>The longest session, in tokens.</summary>
    public int LongestSession => Math.Max(PrefillTokens + DecodeTokens, BatchPromptTokens + BatchDecodeTokens);

    /// <summary>KV room for whatever runs at once, in tokens; whole blocks.</summary>
    public int KvTokens => Math.Max(Blocks(PrefillTokens + DecodeTokens), BatchSizes.Max() * Blocks(BatchPromptTokens + BatchDecodeTokens));

    /// <summary>The same within a shorter context: a small model is measured with what it can hold.</summary>
    public BenchPlan Within(int context)
    {
        if (LongestSession <= context)
        {
            return this;
        }

        var decode = Math.Max(2, Math.Min(DecodeTokens, context / 4));
        var batchDecode = Math.Max(2, Math.Min(BatchDecodeTokens, context / 2));
        return this with
        {
            PrefillTokens = Math.Max(2, Math.Min(PrefillTokens, context - decode)),
            DecodeTokens = decode,
            BatchPromptTokens = Math.Max(1, Math.Min(BatchPromptTokens, context - batchDecode)),
            BatchDecodeTokens = batchDecode,
        };
    }

    /// <summary>
    /// A prompt that no other (repetition, session) has, so that no prefix cache helps; equal for all subjects.
    /// </summary>
    public static ImmutableArray<int> Prompt(int length, int vocabulary, int repetition, int session)
    {
        var state = (((ulong)(uint)repetition + 1) << 32) | ((uint)session + 1u);
        var ids = ImmutableArray.CreateBuilder<int>(length);
        for (var i = 0; i < length; i++)
        {
            // SplitMix64 (Steele, Lea, Flood 2014).
            state += 0x9E3779B97F4A7C15;
            var z = state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            z ^= z >> 31;
            ids.Add((int)(z % (ulong)vocabulary));
        }

        return ids.MoveToImmutable();
    }

    private static int Blocks(int tokens) => (tokens + 15) / 16 * 16;
}
