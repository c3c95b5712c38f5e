using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <summary>
/// A writer's local log (session protocol, rule 8): what a client is about to see is written here first, and goes from here to
/// the event store. Thread-safe.
/// </summary>
public interface IAuditLog : IAsyncDisposable
{
    /// <summary>Why no request can be taken up now: the log cannot be written, or is full; null while it can.</summary>
    string? Fault { get; }

    /// <summary>What of contents is kept.</summary>
    AuditContents Contents { get; }

    /// <summary>Begins a segment of a request.</summary>
    /// <param name="request">The request's id.</param>
    /// <param name="previous">The segment before; null where this is the first.</param>
    /// <param name="resumedFrom">The event id that the client goes on from; null for an answer from its beginning.</param>
    IAuditSegment Open(string request, PreviousSegment? previous, string? resumedFrom);

    /// <summary>The newest segment that this run of the writer has, or had lately, of a request; null when it knows none.</summary>
    PreviousSegment? FindLatest(string request);
}
