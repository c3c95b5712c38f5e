using Parallax.Runtime.Execution;

namespace Parallax.Pipeline.Stages;

/// <summary>The sampler of stages that do not sample.</summary>
internal sealed class NoSampler : ITokenSampler
{
    public static readonly NoSampler Instance = new();

    public TokenChoice Sample(Span<float> logits, int tokenIndex) =>
        throw new InvalidOperationException("only the tail samples");

    public void Append(int tokenId)
    {
    }
}
