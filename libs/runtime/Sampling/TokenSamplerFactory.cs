using System.Collections.Immutable;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Sampling;

/// <summary>
/// Makes the samplers of one engine's sessions. They share one <see cref="Sampler"/>'s scratch memory, because the engine
/// draws one token after another; an engine of its own needs a factory of its own.
/// </summary>
public sealed class TokenSamplerFactory : ITokenSamplerFactory
{
    private readonly Lock _gate = new();
    private Sampler? _shared;

    /// <inheritdoc/>
    /// <exception cref="SamplingException">A parameter is out of its range; the message names it.</exception>
    public ITokenSampler Create(ImmutableArray<int> promptTokenIds, SamplingParameters parameters, int vocabularySize)
    {
        if (SamplingParametersValidator.FindError(parameters, vocabularySize) is { } error)
        {
            throw new SamplingException(error);
        }

        return new SessionSampler(Shared(vocabularySize), parameters, promptTokenIds);
    }

    private Sampler Shared(int vocabularySize)
    {
        // Sessions may be opened on several threads.
        lock (_gate)
        {
            if (_shared?.VocabularySize != vocabularySize)
            {
                _shared = new Sampler(vocabularySize);
            }

            return _shared;
        }
    }
}
