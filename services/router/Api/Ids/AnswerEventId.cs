using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Parallax.Router.Api.Ids;

/// <summary>
/// The id of a stream's event: <c>request:stamp:progress</c>, with a progress per choice, separated by commas, and a last
/// <c>:u</c> once the usage has been sent. What a client has seen is a function of it, and so is all that it lacks.
/// </summary>
/// <param name="Request">The request.</param>
/// <param name="Stamp">How its answer is generated.</param>
/// <param name="Choices">How much of each choice has been sent; at least one.</param>
/// <param name="IsUsageSent">Whether the usage has been sent.</param>
internal sealed record AnswerEventId(RequestId Request, AnswerStamp Stamp, ImmutableArray<ChoiceProgress> Choices, bool IsUsageSent)
{
    public const char Separator = ':';
    public const string UsageMark = ":u";

    /// <summary>Choices are this many at most in an id: more than a request may have.</summary>
    private const int MostChoices = 1024;

    /// <summary>Reads what a router writes, and nothing else. Bounded in time and memory by the text's length.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AnswerEventId? id)
    {
        id = null;
        var rest = text.AsSpan();
        var isUsageSent = rest.EndsWith(UsageMark, StringComparison.Ordinal);
        rest = isUsageSent ? rest[..^UsageMark.Length] : rest;
        var progressFrom = RequestId.TextLength + 1 + AnswerStamp.TextLength + 1;
        if (rest.Length <= progressFrom
            || rest[RequestId.TextLength] != Separator
            || rest[progressFrom - 1] != Separator
            || !RequestId.TryParse(rest[..RequestId.TextLength], out var request)
            || !AnswerStamp.TryParse(rest.Slice(RequestId.TextLength + 1, AnswerStamp.TextLength), out var stamp))
        {
            return false;
        }

        var progress = rest[progressFrom..];
        var choices = ImmutableArray.CreateBuilder<ChoiceProgress>();
        foreach (var range in progress.Split(','))
        {
            if (choices.Count == MostChoices || !ChoiceProgress.TryParse(progress[range], out var choice) || choice.LastIndex >= stamp.MaxTokens)
            {
                return false;
            }

            choices.Add(choice);
        }

        id = new AnswerEventId(request, stamp, choices.DrainToImmutable(), isUsageSent);
        return true;
    }

    public override string ToString() => $"{Request}{Separator}{Stamp}{Separator}{string.Join(',', Choices)}{(IsUsageSent ? UsageMark : "")}";
}
