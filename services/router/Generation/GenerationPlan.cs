using Parallax.Router.Api;
using Parallax.Router.Api.Requests;
using Parallax.Router.Sessions;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;

namespace Parallax.Router.Generation;

/// <summary>From what a client asks for to what a worker is told: defaults filled in, limits checked. Pure.</summary>
internal static class GenerationPlan
{
    /// <param name="request">The client's request.</param>
    /// <param name="prompt">Its prompt.</param>
    /// <param name="defaults">What the model's files advise.</param>
    /// <param name="offer">The path's limits.</param>
    /// <param name="drawnSeed">The seed to use when the client gave none.</param>
    /// <exception cref="ApiException">Something does not fit; names the parameter and the figures.</exception>
    public static SamplingParameters ToSampling(
        ChatRequest request, int prompt, GenerationDefaults defaults, PathOffer offer, ulong drawnSeed)
    {
        var room = offer.ContextLimit - prompt;
        if (room < 1)
        {
            throw ApiException.TooLong(
                $"The messages are {prompt} tokens; the context is {offer.ContextLimit} tokens, of which the answer needs at least one.");
        }

        if (request.MaxTokens > room)
        {
            throw ApiException.TooLong(
                $"The messages are {prompt} tokens and the answer may have {request.MaxTokens}, together {prompt + (long)request.MaxTokens.Value}; "
                + $"the context is {offer.ContextLimit} tokens.");
        }

        var maxTokens = request.MaxTokens ?? room;
        if (request.MinTokens > maxTokens)
        {
            throw ApiException.Invalid("min_tokens", $"'min_tokens' is {request.MinTokens}; the answer has room for {maxTokens} tokens.", "invalid_value");
        }

        RequireInVocabulary("logit_bias", request.LogitBias.Select(static b => b.Key), offer.VocabularySize);
        RequireInVocabulary("stop_token_ids", request.StopTokenIds, offer.VocabularySize);
        return new SamplingParameters
        {
            Temperature = request.Temperature ?? (defaults.DoSample == false ? 0 : defaults.Temperature ?? 1),
            TopP = request.TopP ?? defaults.TopP ?? 1,
            TopK = request.TopK ?? defaults.TopK ?? 0,
            MinP = request.MinP ?? defaults.MinP ?? 0,
            RepetitionPenalty = request.RepetitionPenalty ?? defaults.RepetitionPenalty ?? 1,
            PresencePenalty = request.PresencePenalty,
            FrequencyPenalty = request.FrequencyPenalty,
            LogitBias = request.LogitBias,
            Seed = request.Seed ?? drawnSeed,
            TopLogProbs = request.TopLogProbs,
            StopTokenIds = request.IgnoreEos
                ? request.StopTokenIds
                : [.. defaults.EosTokenIds.Union(request.StopTokenIds).Order()],
            MinTokens = request.MinTokens,
            MaxTokens = maxTokens,
        };
    }

    private static void RequireInVocabulary(string param, IEnumerable<int> ids, int vocabularySize)
    {
        foreach (var id in ids)
        {
            if (id >= vocabularySize)
            {
                throw ApiException.Invalid(param, $"'{param}' names token {id}; the model's ids are below {vocabularySize}.", "invalid_value");
            }
        }
    }
}
