using Parallax.Router.Api;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Generation;

/// <summary>Sessions that did not go well, as clients are told.</summary>
internal static class SessionErrors
{
    /// <summary>The error for a result that is not an answer.</summary>
    public static ApiException ToApi(SessionResult result) => result switch
    {
        SessionResult.Refused { Reason: OpenRefusal.Busy } refused => ApiException.Busy(refused.Message, TimeSpan.FromSeconds(1)),
        SessionResult.Refused { Reason: OpenRefusal.TooLong } refused => ApiException.TooLong(refused.Message),
        SessionResult.Refused { Reason: OpenRefusal.Invalid } refused => ApiException.Invalid(null, refused.Message, "invalid_value"),
        SessionResult.Refused { Reason: OpenRefusal.Stopping } refused => ApiException.Unavailable(refused.Message),
        SessionResult.Refused refused => ApiException.Internal(refused.Message),
        SessionResult.Lost lost => ApiException.Unavailable(lost.Message),
        SessionResult.Finished { Reason: FinishReason.Deadline } => ApiException.Deadline(),
        SessionResult.Finished { Reason: FinishReason.Cancelled } => ApiException.Unavailable("The worker ended the session; it may be stopping."),
        SessionResult.Finished finished => ApiException.Internal($"The worker failed: {finished.Error}"),
        _ => throw new ArgumentOutOfRangeException(nameof(result)),
    };
}
