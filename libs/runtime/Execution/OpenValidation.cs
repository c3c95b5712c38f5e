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

        if (request.AnswerTokenIds.IsDefault || request.AnswerTokenIds.Any(id => (uint)id >= (uint)vocabularySize))
        {
            return $"the known part of the answer has an id outside the vocabulary [0,{vocabularySize})";
        }

        if (request.AnswerTokenIds.Length > 0 && request.AnswerTokenIds.Length >= request.Sampling.MaxTokens)
        {
            return $"{request.AnswerTokenIds.Length} tokens of an answer of at most {request.Sampling.MaxTokens} are known: it is complete";
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

        return SamplingParametersValidator.FindError(request.Sampling, vocabularySize);
    }
}
