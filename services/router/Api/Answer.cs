using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;

namespace Parallax.Router.Api;

/// <summary>An answer that is being generated.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Format">How it is written.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="Choices">One reader per choice.</param>
internal sealed record Answer(ChatRequest Request, AnswerFormat Format, int PromptTokens, AnswerReader[] Choices)
{
    /// <summary>Tokens of all choices.</summary>
    public int TokenCount => Choices.Sum(static choice => choice.TokenCount);

    /// <summary>What it has used so far.</summary>
    public Responses.Usage Usage() => AnswerFormat.Usage(PromptTokens, TokenCount, Choices.Max(static choice => choice.CachedTokens));
}
