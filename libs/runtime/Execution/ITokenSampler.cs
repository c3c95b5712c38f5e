using System.Collections.Immutable;
using Parallax.Runtime.Sampling;

namespace Parallax.Runtime.Execution;

/// <summary>
/// Draws one session's tokens. What it returns is a pure function of (prompt, parameters, adopted tokens, logits, token
/// index), so that a session that was interrupted goes on as if it had not been. Called on the executor's loop.
/// </summary>
public interface ITokenSampler
{
    /// <summary>Draws the answer's token <paramref name="tokenIndex"/> (from 0).</summary>
    /// <param name="logits">[vocabulary]; may be overwritten. Finite, or -infinity for some.</param>
    /// <param name="tokenIndex">Tokens adopted so far.</param>
    TokenChoice Sample(Span<float> logits, int tokenIndex);

    /// <summary>
    /// The token drawn last was adopted: it counts for penalties from now on. Before the first draw, tokens of the answer that
    /// were drawn by an earlier sampler of the session.
    /// </summary>
    void Append(int tokenId);
}

/// <summary>Makes the sampler of a session.</summary>
public interface ITokenSamplerFactory
{
    /// <summary>A sampler for one session; called on the thread that opens it.</summary>
    /// <param name="promptTokenIds">The prompt.</param>
    /// <param name="parameters">Checked by the engine against the vocabulary.</param>
    /// <param name="vocabularySize">Length of the logits.</param>
    ITokenSampler Create(ImmutableArray<int> promptTokenIds, SamplingParameters parameters, int vocabularySize);
}

/// <summary>A drawn token.</summary>
/// <param name="TokenId">Its id.</param>
/// <param name="LogProb">See <see cref="EmittedToken.LogProb"/>; NaN when not asked for.</param>
/// <param name="TopLogProbs">See <see cref="EmittedToken.TopLogProbs"/>; empty when not asked for.</param>
public readonly record struct TokenChoice(int TokenId, float LogProb, ImmutableArray<TokenLogProb> TopLogProbs);
