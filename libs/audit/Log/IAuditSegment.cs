using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <summary>What a router writes about a request that it has taken up. Thread-safe.</summary>
public interface IAuditSegment
{
    /// <summary>From the segment's beginning to its first token; null before.</summary>
    TimeSpan? FirstToken { get; }

    /// <summary>Tokens that were written, of all choices.</summary>
    int TokenCount { get; }

    /// <summary>
    /// Appends an event. The task ends when it is committed; who has nothing to show for it need not wait: an event that could not
    /// be written is written before any later one.
    /// </summary>
    /// <exception cref="AuditLogException">It could not be written for now.</exception>
    Task AppendAsync(AuditEvent added);

    /// <summary>Notes tokens that are about to be shown; events of many are made of them (<see cref="TokensEmitted"/>).</summary>
    /// <param name="choice">Of which choice.</param>
    /// <param name="first">Index of the first one in the answer: behind those that were noted before.</param>
    /// <param name="ids">The tokens.</param>
    /// <exception cref="AuditLogException">They could not be written for now.</exception>
    Task TokensAsync(int choice, int first, ReadOnlyMemory<int> ids);

    /// <summary>Appends the segment's last event; nothing may follow.</summary>
    /// <exception cref="AuditLogException">It could not be written for now.</exception>
    Task EndAsync(AuditEvent last);
}
