using System.Collections.Immutable;
using System.Globalization;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Index;
using Parallax.Audit.Verify;
using Parallax.EventStore;
using Parallax.Identity;

namespace Parallax.Audit.Retention;

/// <summary>
/// Deletes requests that were kept long enough. What is deleted is first said, signed, in a stream of its own, so that
/// verification can tell it from what somebody removed; writers' streams stay. Everything is verified before: what was tampered
/// with must not be retired out of sight.
/// </summary>
public sealed class AuditRetention(IEventStore store, AuditIndex index, RetirementKey key, TimeProvider clock)
{
    private const int BatchStreams = 256;

    /// <summary>Retires the requests that ended before a time.</summary>
    /// <param name="before">The time.</param>
    /// <param name="reason">For people.</param>
    /// <param name="progress">Told how many events were verified; null tells nobody.</param>
    /// <param name="cancellationToken">Ends it between two batches.</param>
    /// <exception cref="RetentionException">Verification found something, or somebody else retires with the same key.</exception>
    public async Task<RetirementReport> RetireAsync(DateTimeOffset before, string reason, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var chain = await ResumeAsync(cancellationToken);
        var (report, verifier) = await Verification.ReadAsync(store, new VerifyOptions(), clock, progress, cancellationToken);
        if (!report.IsFine)
        {
            throw new RetentionException(string.Create(
                CultureInfo.InvariantCulture, $"Nothing was retired: verification has {report.FindingCount} findings, and the events that show them must stay. See parallax audit verify."));
        }

        await index.CatchUpAsync(store, cancellationToken);
        var outcome = new RetirementReport(0, 0, 0, 0);
        List<StreamHead> batch = [];
        string? after = null;
        do
        {
            var page = await index.EndedAsync(before, after, cancellationToken);
            foreach (var request in page)
            {
                var segments = await index.SegmentsAsync(request, cancellationToken);
                var heads = segments.Select(verifier.EndedHeadOf).OfType<StreamHead>().ToImmutableArray();
                if (heads.Length < segments.Length)
                {
                    outcome = outcome with { Skipped = outcome.Skipped + 1 };
                    continue;
                }

                batch.AddRange(heads);
                outcome = outcome with { Requests = outcome.Requests + 1 };
                if (batch.Count >= BatchStreams)
                {
                    outcome = await RetireAsync(chain, batch, before, reason, outcome, cancellationToken);
                }
            }

            after = page.IsEmpty ? null : page[^1];
        }
        while (after is not null);

        outcome = batch.Count == 0 ? outcome : await RetireAsync(chain, batch, before, reason, outcome, cancellationToken);
        await index.CatchUpAsync(store, cancellationToken);
        return outcome;
    }

    private async Task<RetirementReport> RetireAsync(
        AuditChain chain, List<StreamHead> batch, DateTimeOffset before, string reason, RetirementReport outcome, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var unsigned = new StreamsRetired(
            before, [.. batch], reason, Convert.ToBase64String(key.Key.PublicKey.Span), Base64(key.Certificate), Base64(key.Authority), "");
        var signature = key.Key.Sign(RetirementBytes.Of(chain.Stream, chain.Head, unsigned));
        var expected = chain.Length;
        var added = chain.Append(unsigned with { Signature = Convert.ToBase64String(signature) }, clock.GetUtcNow());
        if (await store.AppendAsync(chain.Stream, expected, [new NewEvent(added.Id, added.Type, added.Payload)], cancellationToken) is AppendResult.Conflict)
        {
            throw new RetentionException("Somebody else retires with the same key at this time: let one of the two end.");
        }

        var events = await DeleteAsync(batch);
        outcome = outcome with { Streams = outcome.Streams + batch.Count, Events = outcome.Events + events };
        batch.Clear();
        return outcome;
    }

    /// <summary>Where the key's stream of retirements stands; what its last one names is deleted, should a crash have come between.</summary>
    private async Task<AuditChain> ResumeAsync(CancellationToken cancellationToken)
    {
        var chain = new AuditChain(AuditStreams.Retirement(key.Key.Id.ToString()));
        AuditRecord? last = null;
        await foreach (var stored in store.ReadAsync(chain.Stream, 1, cancellationToken))
        {
            chain = new AuditChain(chain.Stream, stored.Version, AuditChain.HashOf(stored.Payload.Span));
            last = AuditCodec.Decode(stored.Payload);
        }

        // Only what this key signed for: whoever can write the stream must not make anybody delete.
        if (last is { Event: StreamsRetired retired } && IsOwn(last, retired))
        {
            await DeleteAsync(retired.Streams);
        }

        return chain;
    }

    private bool IsOwn(AuditRecord record, StreamsRetired retired)
    {
        Span<byte> signature = stackalloc byte[128];
        return Convert.TryFromBase64String(retired.Signature, signature, out var count)
            && PeerKey.Verify(key.Key.PublicKey.Span, RetirementBytes.Of(record.Stream, record.Previous, retired), signature[..count]);
    }

    private async Task<long> DeleteAsync(IEnumerable<StreamHead> streams)
    {
        long events = 0;
        foreach (var head in streams)
        {
            events += await store.DeleteAsync(head.Stream, CancellationToken.None); // begun is finished: it has been said
        }

        return events;
    }

    private static string? Base64(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? null : Convert.ToBase64String(bytes.Span);
}
