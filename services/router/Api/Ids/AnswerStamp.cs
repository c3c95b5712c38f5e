using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Router.Api.Ids;

/// <summary>
/// What a router must know, besides the request, to generate an answer again: when it was admitted (templates may show
/// the date), how long it may become, and short checks of the numeric class and of prompt and sampling. Untrusted when
/// it was parsed: who makes one up harms nobody but their own answer.
/// </summary>
/// <param name="Created">Seconds since 1970 at admission.</param>
/// <param name="MaxTokens">The answer's greatest length.</param>
/// <param name="ClassCheck">Of the numeric class.</param>
/// <param name="PlanCheck">Of prompt and sampling.</param>
/// <param name="Run">Tells it from other answers to the same request, which an idempotency key may have on other routers; 24 bits.</param>
internal readonly record struct AnswerStamp(long Created, int MaxTokens, uint ClassCheck, uint PlanCheck, int Run)
{
    private const byte Version = 1;
    private const int Length = 21; // version 1, created 5, greatest length 4, checks 4 each, run 3; a multiple of 3

    /// <summary>Runs are below this.</summary>
    public const int Runs = 1 << 24;

    private static readonly long LastSecond = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    /// <summary>Characters of a stamp's text.</summary>
    public static int TextLength => Length / 3 * 4;

    public DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeSeconds(Created);

    /// <summary>The stamp of an answer.</summary>
    public static AnswerStamp Of(DateTimeOffset created, NumericClass numerics, ReadOnlySpan<int> prompt, SamplingParameters sampling, int run) =>
        new(created.ToUnixTimeSeconds(), sampling.MaxTokens, CheckOf(numerics), CheckOf(prompt, sampling), run);

    /// <summary>The check of a numeric class.</summary>
    public static uint CheckOf(NumericClass numerics) => BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(
        FormattableString.Invariant($"{numerics.Backend}\n{numerics.ArithmeticVersion}\n{numerics.Residual}\n{numerics.Links}\n{numerics.WeightsHash}"))));

    /// <summary>Reads what <see cref="ToString"/> writes, and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out AnswerStamp stamp)
    {
        stamp = default;
        if (!FixedBase64.TryDecode(text, Length, out var bytes) || bytes[0] != Version)
        {
            return false;
        }

        var created = (BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16) & 0xFF_FFFF_FFFF;
        var maxTokens = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(6));
        stamp = new AnswerStamp(
            created,
            maxTokens,
            BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(10)),
            BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(14)),
            BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(17)) & (Runs - 1));
        return created <= LastSecond && maxTokens >= 1;
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Created << 16);
        bytes[0] = Version;
        BinaryPrimitives.WriteInt32BigEndian(bytes[6..], MaxTokens);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[10..], ClassCheck);
        BinaryPrimitives.WriteInt32BigEndian(bytes[17..], Run);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[14..], PlanCheck); // over the run's first byte, which is 0
        return Base64Url.EncodeToString(bytes);
    }

    private static uint CheckOf(ReadOnlySpan<int> prompt, SamplingParameters sampling)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes(prompt));
        // R is the shortest text from which the same number comes back.
        hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant(
            $"\n{sampling.Temperature:R} {sampling.TopK} {sampling.TopP:R} {sampling.MinP:R} {sampling.RepetitionPenalty:R} {sampling.PresencePenalty:R} {sampling.FrequencyPenalty:R} {sampling.Seed} {sampling.TopLogProbs} {sampling.MinTokens} {sampling.MaxTokens}")));
        foreach (var id in sampling.StopTokenIds)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($" {id}")));
        }

        foreach (var (id, bias) in sampling.LogitBias)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($" {id}:{bias:R}")));
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(hash.GetHashAndReset());
    }
}
