namespace Parallax.Audit.Log;

/// <summary>Another process writes the log in that folder.</summary>
public sealed class AuditLogInUseException(string folder, Exception cause)
    : AuditLogException($"The audit log in {folder} is another router's: give each one a folder of its own.", cause);
