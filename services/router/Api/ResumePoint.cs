using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Requests;

namespace Parallax.Router.Api;

/// <summary>Where a client that has the beginning of an answer goes on. Pure.</summary>
internal static class ResumePoint
{
    /// <summary>Reads <c>Last-Event-ID</c> and checks that the request is the one whose answer it names.</summary>
    /// <param name="text">The header's value.</param>
    /// <param name="request">The request that came with it.</param>
    /// <param name="claim">Its claim.</param>
    /// <exception cref="ApiException">It is no id of ours (400), of another body (422) or of another API key (404).</exception>
    public static AnswerEventId Read(string text, ChatRequest request, RequestClaim claim)
    {
        if (!AnswerEventId.TryParse(text, out var id))
        {
            throw ApiException.Invalid(
                RequestHeaders.LastEventIdName,
                $"'{RequestHeaders.LastEventIdName}' is no event id of this server. Send the id of the last event that came whole, or leave the header out for a new answer.",
                "invalid_event_id");
        }

        switch (claim.Compare(id.Request))
        {
            case ClaimMismatch.Body:
                throw ApiException.OtherRequest(
                    RequestHeaders.LastEventIdName,
                    $"The body differs from that of the request that '{RequestHeaders.LastEventIdName}' names. To resume an answer send the same bytes again.");
            case ClaimMismatch.Key:
                throw ApiException.UnknownAnswer($"There is no answer that '{RequestHeaders.LastEventIdName}' names for this API key. Use the key of the first request.");
            default:
                break;
        }

        return !request.Stream
            ? throw ApiException.Invalid(RequestHeaders.LastEventIdName, $"'{RequestHeaders.LastEventIdName}' needs 'stream' to be true.", "invalid_value")
            : id.Choices.Length == request.Choices
            ? id
            : throw ApiException.OtherRequest(
                RequestHeaders.LastEventIdName, $"'{RequestHeaders.LastEventIdName}' names {id.Choices.Length} choices; 'n' is {request.Choices}.");
    }

    /// <summary>Checks that what would be generated here is the answer that the client has the beginning of.</summary>
    /// <exception cref="ApiException">It is another one (409).</exception>
    public static void RequireSame(AnswerStamp begun, AnswerStamp here, string fingerprint)
    {
        if (begun.ClassCheck != here.ClassCheck)
        {
            throw OtherClass(fingerprint);
        }

        if (begun.PlanCheck != here.PlanCheck)
        {
            throw ApiException.NotResumable(
                "This router would make another prompt or other sampling parameters of the request than the one that began the answer: its model's template or defaults differ. "
                + "What has been sent stands; send the request without 'Last-Event-ID' for a new answer.");
        }
    }

    /// <summary>409: it was begun in a class that nobody computes in now.</summary>
    /// <param name="present">Fingerprints of the classes that are there.</param>
    public static ApiException OtherClass(string present) => ApiException.NotResumable(
        $"The answer was begun in another numeric class than what serves the model now ({present}), which would go on with another text. "
        + "What has been sent stands, and its 'system_fingerprint' names its class; try again when a worker of that class is back, or send the request without 'Last-Event-ID' for a new answer.");
}
