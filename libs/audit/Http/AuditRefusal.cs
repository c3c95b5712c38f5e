namespace Parallax.Audit.Http;

/// <summary>Why a caller may not read the audit.</summary>
/// <param name="Status">HTTP status: 401 without a key, 403 with one that may not.</param>
/// <param name="Code">A code that programs can rely on.</param>
/// <param name="Message">For people.</param>
public sealed record AuditRefusal(int Status, string Code, string Message);
