using Parallax.Runtime.Sampling;

namespace Parallax.Runtime.Execution;

/// <summary>Checks an Open's values before anything is reserved.</summary>
internal static class OpenValidation
{
    /// <summary>Longest client name and cache salt, in characters.</summary>
    public const int MaxNameLength = 256;

    /// <summary>What is wrong with <paramref name="request"/>, naming the value; null when nothing is.</summary>
    public static string? FindError(OpenRequest request, int vocabularySize)
    {
        if (request.PromptTokenIds.IsDefaultOrEmpty)
        {
            return "the prompt is empty: it needs at least one token";
        }

        for (var i = 0; i < request.PromptTokenIds.Length; i++)
        {
            if ((uint)request.PromptTokenIds[i] >= (uint)vocabularySize)
            {
                return $"prompt token {i} is {request.PromptTokenIds[i]}, outside the vocabulary [0,{vocabularySize})";
            }
        }

        if (request.Client is null || request.Client.Length > MaxNameLength)
        {
            return $"the client's name is missing or longer than {MaxNameLength} characters";
        }

        if (request.CacheSalt is null || request.CacheSalt.Length > MaxNameLength)
        {
            return $"the cache salt is missing or longer than {MaxNameLength} characters";
        }

        if (request.TimeLeft is { } left && left <= TimeSpan.Zero)
        {
            return $"the deadline has passed already (time left {left})";
        }

        return FindError(request.Sampling, vocabularySize);
    }

    private static string? FindError(SamplingParameters sampling, int vocabularySize)
    {
        if (sampling is null)
        {
            return "the sampling parameters are missing";
        }

        if (sampling.MaxTokens < 1)
        {
            return $"MaxTokens is {sampling.MaxTokens}: at least 1";
        }

        if (sampling.MinTokens < 0 || sampling.TopK < 0 || sampling.ChoiceIndex < 0)
        {
            return $"MinTokens {sampling.MinTokens}, TopK {sampling.TopK}, ChoiceIndex {sampling.ChoiceIndex}: none may be negative";
        }

        if (!(float.IsFinite(sampling.Temperature) && sampling.Temperature >= 0))
        {
            return $"Temperature is {sampling.Temperature}: finite and not negative";
        }

        if (!(sampling.TopP > 0 && sampling.TopP <= 1))
        {
            return $"TopP is {sampling.TopP}: above 0, at most 1";
        }

        if (!(sampling.MinP >= 0 && sampling.MinP <= 1))
        {
            return $"MinP is {sampling.MinP}: 0 to 1";
        }

        if (!(float.IsFinite(sampling.RepetitionPenalty) && sampling.RepetitionPenalty > 0))
        {
            return $"RepetitionPenalty is {sampling.RepetitionPenalty}: finite and above 0";
        }

        if (!float.IsFinite(sampling.PresencePenalty) || !float.IsFinite(sampling.FrequencyPenalty))
        {
            return $"PresencePenalty {sampling.PresencePenalty}, FrequencyPenalty {sampling.FrequencyPenalty}: both finite";
        }

        if (sampling.TopLogProbs is < 0 or > 20)
        {
            return $"TopLogProbs is {sampling.TopLogProbs}: 0 to 20";
        }

        if (sampling.StopTokenIds.IsDefault || sampling.LogitBias.IsDefault)
        {
            return "StopTokenIds and LogitBias may be empty, not missing";
        }

        foreach (var id in sampling.StopTokenIds)
        {
            if ((uint)id >= (uint)vocabularySize)
            {
                return $"stop token {id} is outside the vocabulary [0,{vocabularySize})";
            }
        }

        foreach (var (id, bias) in sampling.LogitBias)
        {
            // A bias of -infinity bans a token; +infinity and NaN have no meaning.
            if ((uint)id >= (uint)vocabularySize || float.IsNaN(bias) || float.IsPositiveInfinity(bias))
            {
                return $"logit bias {bias} of token {id}: a number for a token of the vocabulary [0,{vocabularySize})";
            }
        }

        return null;
    }
}
