using System.Collections.Immutable;
using System.Numerics;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Sampling;

/// <summary>
/// Draws a token from logits. A pure function of (logits, parameters, token ids so far, token index, mask): the same bits
/// on every machine. Owns its scratch memory and allocates nothing per draw unless log-probabilities are asked for; one
/// thread at a time.
/// </summary>
public sealed partial class Sampler
{
    private readonly LogitKernels _kernels;
    private readonly float[] _scaled;
    private readonly float[] _weights;
    private readonly float[] _chunkMax;
    private readonly double[] _chunkMass;
    private int _isBusy;

    /// <summary>Creates a sampler for logits of one length.</summary>
    /// <param name="vocabularySize">Length of the logits.</param>
    public Sampler(int vocabularySize)
        : this(vocabularySize, VectorWidth.Best)
    {
    }

    internal Sampler(int vocabularySize, VectorWidth width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        VocabularySize = vocabularySize;
        _kernels = LogitKernels.Create(width);
        var chunks = (vocabularySize + LogitKernels.ChunkLength - 1) / LogitKernels.ChunkLength;
        _chunkMax = new float[chunks];
        _chunkMass = new double[chunks];
        _chunkOrder = new ulong[chunks];
        _scaled = new float[chunks * LogitKernels.ChunkLength];
        _weights = new float[chunks * LogitKernels.ChunkLength];
        _candidates = new ulong[vocabularySize];
        _boundary = new ulong[vocabularySize];
    }

    /// <summary>Length of the logits.</summary>
    public int VocabularySize { get; }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">[vocabulary]; overwritten. Finite, or -infinity for tokens that cannot be drawn.</param>
    /// <param name="parameters">Valid by <see cref="SamplingParametersValidator"/>.</param>
    /// <param name="history">The tokens so far; only read when a penalty is on.</param>
    /// <param name="tokenIndex">Index of the token to draw within the answer, from 0.</param>
    /// <param name="mask">Tokens that may be drawn; null allows all.</param>
    /// <exception cref="SamplingException">A logit is NaN or +infinity, or no token is left to draw.</exception>
    public TokenChoice Sample(
        Span<float> logits, SamplingParameters parameters, TokenHistory history, int tokenIndex, ITokenMask? mask = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(history);
        ArgumentOutOfRangeException.ThrowIfNegative(tokenIndex);
        if (Interlocked.Exchange(ref _isBusy, 1) != 0)
        {
            throw new InvalidOperationException("two threads draw with one sampler: give each engine a sampler factory of its own");
        }

        try
        {
            RequireSound(logits);
            if (parameters.TopLogProbs is not { } alternatives)
            {
                return new TokenChoice(Draw(logits, parameters, history, tokenIndex, mask), float.NaN, []);
            }

            var top = MeasureRaw(logits, alternatives);
            var id = Draw(logits, parameters, history, tokenIndex, mask);
            return new TokenChoice(id, RawLogProb(id), top);
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
    }

    /// <summary>The probabilities that <see cref="Sample"/> draws by. [vocabulary]</summary>
    internal void Distribution(
        Span<float> logits, SamplingParameters parameters, TokenHistory history, int tokenIndex, ITokenMask? mask, Span<double> probabilities)
    {
        RequireSound(logits);
        probabilities.Clear();
        var best = Prepare(logits, parameters, history, tokenIndex, mask, out var max);
        if (parameters.Temperature == 0)
        {
            probabilities[best] = 1;
            return;
        }

        var count = Select(logits, max, parameters);
        var mass = count < 0 ? TotalMass() : MassOf(_candidates.AsSpan(0, count));
        for (var i = 0; i < (count < 0 ? VocabularySize : count); i++)
        {
            var id = count < 0 ? i : IdOf(_candidates[i]);
            probabilities[id] = _weights[id] / mass;
        }
    }

    private static int IdOf(ulong candidate) => (int)(uint)candidate;

    private int Draw(Span<float> logits, SamplingParameters parameters, TokenHistory history, int tokenIndex, ITokenMask? mask)
    {
        var best = Prepare(logits, parameters, history, tokenIndex, mask, out var max);
        if (parameters.Temperature == 0)
        {
            return best;
        }

        var uniform = CounterRng.Uniform(parameters.Seed, parameters.ChoiceIndex, tokenIndex);
        var count = Select(logits, max, parameters);
        return count < 0 ? DrawFromAll(uniform) : DrawFrom(_candidates.AsSpan(0, count), uniform);
    }

    /// <summary>Penalties, bias and masks; then the best token and its logit.</summary>
    private int Prepare(
        Span<float> logits, SamplingParameters parameters, TokenHistory history, int tokenIndex, ITokenMask? mask, out float max)
    {
        ApplyPenalties(logits, parameters, history);
        ApplyBias(logits, parameters.LogitBias);
        if (tokenIndex < parameters.MinTokens)
        {
            foreach (var id in parameters.StopTokenIds)
            {
                logits[id] = float.NegativeInfinity;
            }
        }

        if (mask is not null)
        {
            ApplyMask(logits, mask.Allowed);
        }

        var best = _kernels.ArgMax(logits, out max);
        return float.IsFinite(max) ? best : throw NothingToDraw(max, tokenIndex, parameters, mask);
    }

    private static void ApplyPenalties(Span<float> logits, SamplingParameters parameters, TokenHistory history)
    {
        var repetition = parameters.RepetitionPenalty;
        var (frequency, presence) = (parameters.FrequencyPenalty, parameters.PresencePenalty);
        if (repetition == 1 && frequency == 0 && presence == 0)
        {
            return;
        }

        foreach (var (id, count) in history.AnswerCounts)
        {
            var logit = logits[id];
            if (repetition != 1)
            {
                logit = logit > 0 ? logit / repetition : logit * repetition;
            }

            if (count > 0)
            {
                logit -= frequency * count;
                logit -= presence;
            }

            logits[id] = RequireNumber(logit, id);
        }
    }

    private static void ApplyBias(Span<float> logits, ImmutableArray<KeyValuePair<int, float>> biases)
    {
        foreach (var (id, bias) in biases)
        {
            logits[id] = RequireNumber(logits[id] + bias, id);
        }
    }

    private static float RequireNumber(float logit, int id) =>
        logit < float.PositiveInfinity
            ? logit
            : throw new SamplingException($"penalties or bias make the logit of token {id} {logit}: use smaller values");

    private void ApplyMask(Span<float> logits, ReadOnlySpan<ulong> allowed)
    {
        var words = (VocabularySize + 63) / 64;
        if (allowed.Length < words)
        {
            throw new SamplingException($"the token mask has {allowed.Length} words; the vocabulary of {VocabularySize} needs {words}");
        }

        for (var word = 0; word < words; word++)
        {
            var first = word * 64;
            var part = logits.Slice(first, Math.Min(64, VocabularySize - first));
            if (allowed[word] == 0)
            {
                part.Fill(float.NegativeInfinity);
                continue;
            }

            for (var excluded = ~allowed[word]; excluded != 0; excluded &= excluded - 1)
            {
                var bit = BitOperations.TrailingZeroCount(excluded);
                if (bit < part.Length)
                {
                    part[bit] = float.NegativeInfinity;
                }
            }
        }
    }

    private void RequireSound(ReadOnlySpan<float> logits)
    {
        if (logits.Length != VocabularySize)
        {
            throw new ArgumentException($"{logits.Length} logits for a vocabulary of {VocabularySize}", nameof(logits));
        }

        if (LogitCheck.IsSound(logits))
        {
            return;
        }

        for (var id = 0; id < logits.Length; id++)
        {
            if (!(logits[id] < float.PositiveInfinity))
            {
                throw new SamplingException($"the model gave token {id} the logit {logits[id]}");
            }
        }

        throw new SamplingException("the model gave every token the logit -infinity");
    }

    private static SamplingException NothingToDraw(float max, int tokenIndex, SamplingParameters parameters, ITokenMask? mask)
    {
        var stops = tokenIndex < parameters.MinTokens ? $", MinTokens ({parameters.MinTokens})" : "";
        return new SamplingException(
            $"no token is left to draw at index {tokenIndex} (largest logit {max}): excluded by bias, penalties{stops}{(mask is null ? "" : ", the token mask")}");
    }
}
