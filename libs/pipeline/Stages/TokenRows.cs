using System.Buffers.Binary;
using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Transport.Framing;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// Payload of token rows: nothing, or pairs of id and log-probability (<see cref="TensorType.LogProb"/>), the sampled
/// token's first, then the most probable ones; all rows of a session have the same number of pairs, absent ones have id -1.
/// </summary>
internal static class TokenRows
{
    private const int PairBytes = 8;

    /// <summary>Pairs in a row; 0 when no log-probabilities are asked for.</summary>
    public static int PairsOf(SamplingParameters sampling) => sampling.TopLogProbs is { } top ? 1 + top : 0;

    /// <summary>Bytes of a row.</summary>
    public static int BytesOf(SamplingParameters sampling) => PairsOf(sampling) * PairBytes;

    /// <summary>The wire's form of a row.</summary>
    public static TensorType TypeOf(SamplingParameters sampling) => sampling.TopLogProbs is null ? TensorType.None : TensorType.LogProb;

    /// <summary>Writes a token's row.</summary>
    public static void Write(in TokenChoice choice, Span<byte> row)
    {
        if (row.IsEmpty)
        {
            return;
        }

        WritePair(row, choice.TokenId, choice.LogProb);
        for (var i = 0; (i + 1) * PairBytes < row.Length; i++)
        {
            var (id, logProb) = !choice.TopLogProbs.IsDefault && i < choice.TopLogProbs.Length ? choice.TopLogProbs[i] : new TokenLogProb(-1, 0);
            WritePair(row[((i + 1) * PairBytes)..], id, logProb);
        }
    }

    /// <summary>Reads a token's row.</summary>
    public static TokenChoice Read(int tokenId, ReadOnlySpan<byte> row)
    {
        if (row.IsEmpty)
        {
            return new TokenChoice(tokenId, float.NaN, []);
        }

        var top = ImmutableArray.CreateBuilder<TokenLogProb>((row.Length / PairBytes) - 1);
        for (var at = PairBytes; at < row.Length; at += PairBytes)
        {
            var id = BinaryPrimitives.ReadInt32LittleEndian(row[at..]);
            if (id >= 0)
            {
                top.Add(new TokenLogProb(id, BinaryPrimitives.ReadSingleLittleEndian(row[(at + 4)..])));
            }
        }

        return new TokenChoice(tokenId, BinaryPrimitives.ReadSingleLittleEndian(row[4..]), top.DrainToImmutable());
    }

    private static void WritePair(Span<byte> pair, int id, float logProb)
    {
        BinaryPrimitives.WriteInt32LittleEndian(pair, id);
        BinaryPrimitives.WriteSingleLittleEndian(pair[4..], logProb);
    }
}
