namespace Parallax.Runtime.Sampling;

/// <summary>Checks sampling parameters before a session is opened with them.</summary>
public static class SamplingParametersValidator
{
    /// <summary>Most alternatives per token that can be reported.</summary>
    public const int MaxTopLogProbs = 20;

    /// <summary>What is wrong, naming the parameter, its value and what is allowed; null when nothing is.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="vocabularySize">Length of the logits.</param>
    public static string? FindError(SamplingParameters parameters, int vocabularySize)
    {
        if (parameters is null)
        {
            return "the sampling parameters are missing";
        }

        return FindRangeError(parameters) ?? FindIdError(parameters, vocabularySize);
    }

    private static string? FindRangeError(SamplingParameters p) =>
        p.MaxTokens < 1 ? $"MaxTokens is {p.MaxTokens}: at least 1"
        : p.MinTokens < 0 ? $"MinTokens is {p.MinTokens}: not negative"
        : p.MinTokens > p.MaxTokens ? $"MinTokens is {p.MinTokens}: not above MaxTokens, which is {p.MaxTokens}"
        : p.TopK < 0 ? $"TopK is {p.TopK}: not negative; 0 keeps all"
        : p.ChoiceIndex < 0 ? $"ChoiceIndex is {p.ChoiceIndex}: not negative"
        : !(float.IsFinite(p.Temperature) && p.Temperature >= 0) ? $"Temperature is {p.Temperature}: finite and not negative"
        : !(p.TopP > 0 && p.TopP <= 1) ? $"TopP is {p.TopP}: above 0, at most 1"
        : !(p.MinP >= 0 && p.MinP <= 1) ? $"MinP is {p.MinP}: 0 to 1"
        : !(float.IsFinite(p.RepetitionPenalty) && p.RepetitionPenalty > 0)
            ? $"RepetitionPenalty is {p.RepetitionPenalty}: finite and above 0"
        : !float.IsFinite(p.PresencePenalty) ? $"PresencePenalty is {p.PresencePenalty}: finite"
        : !float.IsFinite(p.FrequencyPenalty) ? $"FrequencyPenalty is {p.FrequencyPenalty}: finite"
        : p.TopLogProbs is < 0 or > MaxTopLogProbs ? $"TopLogProbs is {p.TopLogProbs}: 0 to {MaxTopLogProbs}"
        : null;

    private static string? FindIdError(SamplingParameters p, int vocabularySize)
    {
        if (p.StopTokenIds.IsDefault || p.LogitBias.IsDefault)
        {
            return "StopTokenIds and LogitBias may be empty, not missing";
        }

        foreach (var id in p.StopTokenIds)
        {
            if ((uint)id >= (uint)vocabularySize)
            {
                return $"StopTokenIds: stop token {id} is outside the vocabulary [0,{vocabularySize})";
            }
        }

        var seen = new HashSet<int>();
        foreach (var (id, bias) in p.LogitBias)
        {
            if ((uint)id >= (uint)vocabularySize)
            {
                return $"LogitBias: token {id} is outside the vocabulary [0,{vocabularySize})";
            }

            // A bias of -infinity bans a token; +infinity and NaN have no meaning.
            if (float.IsNaN(bias) || float.IsPositiveInfinity(bias))
            {
                return $"LogitBias: the bias of token {id} is {bias}: a number, or -infinity to ban the token";
            }

            if (!seen.Add(id))
            {
                return $"LogitBias: token {id} is named twice";
            }
        }

        return null;
    }
}
