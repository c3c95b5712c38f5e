using Microsoft.AspNetCore.Http;

namespace Parallax.Audit.Http;

/// <summary>A question that has an error for an answer.</summary>
internal sealed class AuditQueryException(int status, string? parameter, string code, string message) : Exception(message)
{
    public int Status => status;

    public string? Parameter => parameter;

    public string Code => code;

    public static AuditQueryException Invalid(string parameter, string message) =>
        new(StatusCodes.Status400BadRequest, parameter, "invalid_parameter", $"{parameter}: {message}");
}
