using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <summary>No log, because the user asked for none.</summary>
public sealed class NoAuditLog(TimeProvider clock) : IAuditLog
{
    /// <inheritdoc/>
    public string? Fault => null;

    /// <inheritdoc/>
    public AuditContents Contents => AuditContents.Full;

    /// <inheritdoc/>
    public IAuditSegment Open(string request, PreviousSegment? previous, string? resumedFrom) => new Segment(clock);

    /// <inheritdoc/>
    public PreviousSegment? FindLatest(string request) => null;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Segment(TimeProvider clock) : IAuditSegment
    {
        private readonly long _begun = clock.GetTimestamp();
        private long _first;
        private int _tokens;

        public TimeSpan? FirstToken => Volatile.Read(ref _first) is var first and > 0 ? clock.GetElapsedTime(_begun, first) : null;

        public int TokenCount => Volatile.Read(ref _tokens);

        public Task AppendAsync(AuditEvent added) => Task.CompletedTask;

        public Task TokensAsync(int choice, int first, ReadOnlyMemory<int> ids)
        {
            Interlocked.CompareExchange(ref _first, clock.GetTimestamp(), 0);
            Interlocked.Add(ref _tokens, ids.Length);
            return Task.CompletedTask;
        }

        public Task EndAsync(AuditEvent last) => Task.CompletedTask;
    }
}
