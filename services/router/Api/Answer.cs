using System.Collections.Immutable;
using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;

namespace Parallax.Router.Api;

/// <summary>An answer that is being generated.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Format">How it is written.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="Choices">One reader per choice that the client does not have whole.</param>
internal sealed record Answer(ChatRequest Request, AnswerFormat Format, int PromptTokens, AnswerReader[] Choices)
{
    /// <summary>How much of each choice the client has from before.</summary>
    public required ImmutableArray<ChoiceProgress> From { get; init; }

    /// <summary>Whether it has the usage.</summary>
    public bool IsUsageSent { get; init; }

    /// <summary>Tokens of all choices, those included that the client has from before.</summary>
    public int TokenCount => GeneratedTokens
        + From.Sum(static choice => choice.Part == ChoicePart.Finish ? choice.LastIndex + 1 : 0);

    /// <summary>Tokens that were generated for it here.</summary>
    public int GeneratedTokens => Choices.Sum(static choice => choice.TokenCount);

    /// <summary>What it has used so far.</summary>
    public Responses.Usage Usage() => AnswerFormat.Usage(
        PromptTokens, TokenCount, Choices.Select(static choice => choice.CachedTokens).DefaultIfEmpty().Max());
}
