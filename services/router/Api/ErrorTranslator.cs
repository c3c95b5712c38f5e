using Parallax.Router.Api.Responses;
using Parallax.Router.RequestLog;

namespace Parallax.Router.Api;

/// <summary>Turns exceptions into what clients are told.</summary>
internal sealed partial class ErrorTranslator(RouterOptions options, ILogger<ErrorTranslator> logger)
{
    /// <summary>An exception as clients are told; the unexpected is logged and its text stays here.</summary>
    public ApiException ToApi(Exception e)
    {
        switch (e)
        {
            case ApiException known:
                return known;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ApiException.TooLarge(options.MaxBodyBytes);
            case BadHttpRequestException bad:
                return ApiException.Invalid(null, bad.Message, "bad_request");
            case RequestLogException log:
                LogLogFailed(log.Message);
                return ApiException.Internal("The server cannot write its request log.");
            default:
                LogUnexpected(e);
                return ApiException.Internal("The server failed; its log says why.");
        }
    }

    /// <summary>The error's body.</summary>
    public static ErrorEnvelope Body(ApiException error) => new(new ErrorBody(error.Message, error.Type, error.Param, error.Code));

    [LoggerMessage(40, LogLevel.Error, "A request failed unexpectedly")]
    private partial void LogUnexpected(Exception exception);

    [LoggerMessage(41, LogLevel.Error, "{Problem}")]
    private partial void LogLogFailed(string problem);
}
