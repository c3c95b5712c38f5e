using Parallax.Audit.Events;

namespace Parallax.Audit.Log;

/// <content>Its segments.</content>
public sealed partial class AuditLog
{
    private sealed class Segment(AuditLog log, OpenStream opened, TimeProvider clock) : IAuditSegment
    {
        private readonly long _begun = clock.GetTimestamp();
        private long _firstToken;
        private bool _hasEnded;

        public TimeSpan? FirstToken => Volatile.Read(ref _firstToken) is var first and > 0 ? clock.GetElapsedTime(_begun, first) : null;

        public int TokenCount
        {
            get
            {
                lock (log._gate)
                {
                    return opened.Tokens;
                }
            }
        }

        public Task AppendAsync(AuditEvent added)
        {
            ArgumentNullException.ThrowIfNull(added);
            lock (log._gate)
            {
                return _hasEnded || log._isClosed ? Task.CompletedTask : log.AppendFlushed(opened, added);
            }
        }

        public Task TokensAsync(int choice, int first, ReadOnlyMemory<int> ids)
        {
            if (ids.IsEmpty)
            {
                return Task.CompletedTask;
            }

            Interlocked.CompareExchange(ref _firstToken, clock.GetTimestamp(), 0);
            lock (log._gate)
            {
                ObjectDisposedException.ThrowIf(log._isClosed, log);
                var line = LogLine.Tokens(opened.Chain.Stream, choice, first, ids.Span, log.Contents.Hash(ids.Span), log.Contents.IsFull);
                log._fileBytes += line.Length;
                var committed = log._commit.Add(line);
                foreach (var tokens in opened.Note(choice, first, ids.Span, log._options.TokensAnEvent, log.Contents))
                {
                    _ = log.Append(opened, tokens);
                }

                log.BeginFileIfFull();
                return committed;
            }
        }

        public Task EndAsync(AuditEvent last)
        {
            ArgumentNullException.ThrowIfNull(last);
            lock (log._gate)
            {
                if (_hasEnded || log._isClosed)
                {
                    return Task.CompletedTask; // closing the log has ended it
                }

                _hasEnded = true;
                return log.End(opened, last);
            }
        }
    }
}
