using System.Collections.Immutable;
using Parallax.Router.Sessions;

namespace Parallax.Router.Generation;

/// <summary>What one step of a choice adds for the client.</summary>
/// <param name="Text">New text; may be empty.</param>
/// <param name="Tokens">Tokens that went into it since the delta before.</param>
/// <param name="LastIndex">Index of the last token so far; -1 before the first.</param>
/// <param name="FinishReason">Set in the last delta: <c>stop</c> or <c>length</c>.</param>
/// <param name="IsRest">Whether the text was held back until the answer's end, so that it follows no token of its own.</param>
internal sealed record AnswerDelta(
    string Text, ImmutableArray<SessionToken> Tokens, int LastIndex, string? FinishReason, bool IsRest = false);
