namespace Parallax.Router.Api;

/// <summary>A request that ends in an error, in terms of the OpenAI API.</summary>
internal sealed class ApiException : Exception
{
    private ApiException(int status, string type, string message, string? param, string? code)
        : base(message)
    {
        Status = status;
        Type = type;
        Param = param;
        Code = code;
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>The error's class, e.g. <c>invalid_request_error</c>.</summary>
    public string Type { get; }

    /// <summary>The parameter at fault, if one is.</summary>
    public string? Param { get; }

    /// <summary>A code that programs can rely on, if there is one.</summary>
    public string? Code { get; }

    /// <summary>When trying again makes sense.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>400: a parameter is wrong.</summary>
    public static ApiException Invalid(string? param, string message, string? code = null) =>
        new(StatusCodes.Status400BadRequest, "invalid_request_error", message, param, code);

    /// <summary>400: a parameter that would change the result and that this server does not have.</summary>
    public static ApiException Unsupported(string param) =>
        Invalid(param, $"Parameter '{param}' is not supported by this server.", "unsupported_parameter");

    /// <summary>400: prompt, or prompt and answer, do not fit.</summary>
    public static ApiException TooLong(string message) => Invalid("messages", message, "context_length_exceeded");

    /// <summary>401: no API key, or none that is good for anything.</summary>
    public static ApiException Unauthorized(string message) =>
        new(StatusCodes.Status401Unauthorized, "invalid_request_error", message, null, "invalid_api_key");

    /// <summary>403: the API key is good for other things.</summary>
    public static ApiException Forbidden(string message, string code) =>
        new(StatusCodes.Status403Forbidden, "permission_error", message, null, code);

    /// <summary>429: the API key's quota is used up.</summary>
    /// <param name="kind">Which: <c>requests</c> or <c>tokens</c>.</param>
    /// <param name="message">How much of it.</param>
    /// <param name="retryAfter">When there may be some again.</param>
    public static ApiException QuotaExceeded(string kind, string message, TimeSpan retryAfter) =>
        new(StatusCodes.Status429TooManyRequests, kind, message, null, "rate_limit_exceeded") { RetryAfter = retryAfter };

    /// <summary>404.</summary>
    public static ApiException UnknownModel(string model) =>
        new(StatusCodes.Status404NotFound, "invalid_request_error", $"The model '{model}' does not exist.", "model", "model_not_found");

    /// <summary>404: no such address.</summary>
    public static ApiException UnknownUrl(string method, string path) =>
        new(StatusCodes.Status404NotFound, "invalid_request_error", $"Unknown request URL: {method} {path}.", null, "unknown_url");

    /// <summary>405.</summary>
    public static ApiException WrongMethod(string method, string path) =>
        new(StatusCodes.Status405MethodNotAllowed, "invalid_request_error", $"{path} does not take {method}.", null, "method_not_allowed");

    /// <summary>413.</summary>
    public static ApiException TooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, "invalid_request_error", $"The request body is larger than {limit} bytes.", null, "request_too_large");

    /// <summary>415.</summary>
    public static ApiException NotJson(string? contentType) =>
        new(StatusCodes.Status415UnsupportedMediaType, "invalid_request_error", $"Content-Type must be application/json, not '{contentType}'.", null, "unsupported_media_type");

    /// <summary>404: no answer by that id for this API key.</summary>
    public static ApiException UnknownAnswer(string message) =>
        new(StatusCodes.Status404NotFound, "invalid_request_error", message, RequestHeaders.LastEventIdName, "answer_not_found");

    /// <summary>422: the request is not the one that a header refers to.</summary>
    public static ApiException OtherRequest(string header, string message) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid_request_error", message, header, "request_differs");

    /// <summary>409: the answer cannot be continued as it began.</summary>
    public static ApiException NotResumable(string message) =>
        new(StatusCodes.Status409Conflict, "invalid_request_error", message, RequestHeaders.LastEventIdName, "answer_not_resumable");

    /// <summary>409: a request of the same idempotency key is under way and cannot be joined.</summary>
    public static ApiException InProgress(string message) =>
        new(StatusCodes.Status409Conflict, "invalid_request_error", message, RequestHeaders.IdempotencyKeyName, "request_in_progress") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>429.</summary>
    public static ApiException Busy(string message, TimeSpan retryAfter) =>
        new(StatusCodes.Status429TooManyRequests, "rate_limit_error", message, null, "server_overloaded") { RetryAfter = retryAfter };

    /// <summary>503.</summary>
    public static ApiException Unavailable(string message) =>
        new(StatusCodes.Status503ServiceUnavailable, "server_error", message, null, "service_unavailable") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>504: the request's time was up.</summary>
    public static ApiException Deadline() =>
        new(StatusCodes.Status504GatewayTimeout, "server_error", "The answer was not complete within the time that this server allows.", null, "deadline_exceeded");

    /// <summary>500.</summary>
    public static ApiException Internal(string message) =>
        new(StatusCodes.Status500InternalServerError, "server_error", message, null, "internal_error");
}
