using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Testing;

/// <summary>Takes the largest logit, ties to the lower id; checks that it is told every adopted token, once, in order.
/// Before its first draw it takes those that were drawn elsewhere.</summary>
internal sealed class GreedySampling : ITokenSamplerFactory
{
    /// <summary>Called before each draw with (token index); may throw in the sampler's place.</summary>
    public Action<int>? OnSample { get; init; }

    public ITokenSampler Create(ImmutableArray<int> promptTokenIds, SamplingParameters parameters, int vocabularySize) =>
        new Sampler(this);

    private sealed class Sampler(GreedySampling owner) : ITokenSampler
    {
        private int _adopted;
        private int _last = -1;

        public TokenChoice Sample(Span<float> logits, int tokenIndex)
        {
            owner.OnSample?.Invoke(tokenIndex);
            if (tokenIndex != _adopted)
            {
                throw new InvalidOperationException($"token {tokenIndex} is drawn when {_adopted} were adopted");
            }

            _last = 0;
            for (var id = 1; id < logits.Length; id++)
            {
                _last = logits[id] > logits[_last] ? id : _last;
            }

            return new TokenChoice(_last, float.NaN, []);
        }

        public void Append(int tokenId)
        {
            if (_last >= 0 && tokenId != _last)
            {
                throw new InvalidOperationException($"{tokenId} is adopted when {_last} was drawn");
            }

            _adopted++;
        }
    }
}
