using System.Collections.Immutable;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Sampling;

/// <summary>One session's sampler: its parameters and the tokens so far.</summary>
internal sealed class SessionSampler : ITokenSampler
{
    private readonly Sampler _sampler;
    private readonly SamplingParameters _parameters;
    private readonly TokenHistory _history;
    private readonly bool _usesHistory;

    public SessionSampler(Sampler sampler, SamplingParameters parameters, ImmutableArray<int> prompt)
    {
        _sampler = sampler;
        _parameters = parameters;
        _usesHistory = parameters is not { RepetitionPenalty: 1, FrequencyPenalty: 0, PresencePenalty: 0 };
        _history = _usesHistory ? new TokenHistory(prompt.AsSpan(), []) : new TokenHistory();
    }

    public TokenChoice Sample(Span<float> logits, int tokenIndex) => _sampler.Sample(logits, _parameters, _history, tokenIndex);

    public void Append(int tokenId)
    {
        // Without penalties there is nothing to remember, and the decode path allocates nothing.
        if (_usesHistory)
        {
            _history.Append(tokenId);
        }
    }
}
