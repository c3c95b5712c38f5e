using Parallax.Audit.Log;
using Parallax.Router.Api.Responses;

namespace Parallax.Router.Api;

/// <summary>Turns exceptions into what clients are told.</summary>
internal sealed partial class ErrorTranslator(RouterOptions options, ILogger<ErrorTranslator> logger)
{
    /// <summary>An exception as clients are told; the unexpected is logged and its text stays here.</summary>
    public ApiException ToApi(Exception e)
    {
        if (e is AuditLogException log)
        {
            LogLogFailed(log.Message);
        }
        else if (e is not (ApiException or BadHttpRequestException))
        {
            LogUnexpected(e);
        }

        return Describe(options, e);
    }

    /// <summary>An exception as clients are told.</summary>
    public static ApiException Describe(RouterOptions options, Exception e) => e switch
    {
        ApiException known => known,
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ApiException.TooLarge(options.MaxBodyBytes),
        BadHttpRequestException bad => ApiException.Invalid(null, bad.Message, "bad_request"),
        AuditLogException => ApiException.Internal("The server cannot write its audit log."),
        _ => ApiException.Internal("The server failed; its log says why."),
    };

    /// <summary>The error's body.</summary>
    public static ErrorEnvelope Body(ApiException error) => new(new ErrorBody(error.Message, error.Type, error.Param, error.Code));

    [LoggerMessage(40, LogLevel.Error, "A request failed unexpectedly")]
    private partial void LogUnexpected(Exception exception);

    [LoggerMessage(41, LogLevel.Error, "{Problem}")]
    private partial void LogLogFailed(string problem);
}
