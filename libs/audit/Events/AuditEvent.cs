namespace Parallax.Audit.Events;

/// <summary>Something that happened to a request, or to the log of requests itself.</summary>
public abstract record AuditEvent;
