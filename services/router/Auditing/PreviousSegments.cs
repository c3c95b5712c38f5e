using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Index;
using Parallax.Audit.Log;
using Parallax.EventStore;
using Parallax.Runtime;

namespace Parallax.Router.Auditing;

/// <summary>Finds where an earlier router, or this one, had got to with a request that a client takes up again.</summary>
/// <param name="log">This router's log.</param>
/// <param name="reader">What all routers have stored; null where nothing is.</param>
internal sealed class PreviousSegments(IAuditLog log, AuditReader? reader)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    /// <summary>The segment before; unknown where it cannot be found out soon. What the other router has not stored yet is not seen.</summary>
    public async Task<PreviousSegment> FindAsync(string request, CancellationToken cancellationToken)
    {
        if (log.FindLatest(request) is { } own)
        {
            return own;
        }

        if (reader is null)
        {
            return PreviousSegment.Unknown;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        either.CancelAfter(Patience);
        try
        {
            StoredEvent? last = null;
            await foreach (var one in reader.ReadRequestAsync(request, either.Token))
            {
                last = one;
            }

            return last is null ? PreviousSegment.Unknown : new PreviousSegment(last.Stream, last.Version, AuditChain.HashOf(last.Payload.Span));
        }
        catch (Exception e) when (e is ParallaxException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return PreviousSegment.Unknown; // the audit says that it is, and the answer does not wait
        }
    }
}
