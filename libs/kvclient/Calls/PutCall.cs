using Google.Protobuf;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.KvBlocks;
using Parallax.KvClient.Instances;
using Parallax.KvClient.Protocol;
using Parallax.Transport.Framing;

namespace Parallax.KvClient.Calls;

/// <summary>Puts parts to one instance, batch after batch on one stream: reserve, send what it lacks, commit.</summary>
internal static class PutCall
{
    private const int LeaseMs = 30_000;

    /// <summary>Puts; throws what gRPC throws when the instance fails.</summary>
    /// <param name="link">The instance.</param>
    /// <param name="protocol">Its calls.</param>
    /// <param name="tenant">Whose parts.</param>
    /// <param name="parts">The parts, and how their bytes are had when it is their turn; null: they are gone.</param>
    /// <param name="batchBytes">Bytes of a batch at most.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="timer">Told of progress.</param>
    public static async Task<PutOutcome> RunAsync(
        InstanceLink link, KvProtocol protocol, TenantId tenant, IReadOnlyList<IPartSource> parts, int batchBytes, TimeProvider clock, CallTimer timer)
    {
        using var call = link.Next().AsyncDuplexStreamingCall(protocol.Put, null, new CallOptions(cancellationToken: timer.Token));
        var name = PartCodec.WriteHash(tenant.Value);
        var outcome = default(PutOutcome);
        for (var begin = 0; begin < parts.Count;)
        {
            var end = EndOfBatch(parts, begin, batchBytes);
            var next = await RunBatchAsync(link, call, name, parts, begin, end, clock, timer);
            outcome = new PutOutcome(outcome.Copies + next.Copies, outcome.Sent + next.Sent, outcome.Missed + next.Missed);
            begin = end;
        }

        await call.RequestStream.CompleteAsync();
        _ = await call.ResponseStream.MoveNext(timer.Token); // its end: a call that is dropped before looks like a failure to the instance
        return outcome;
    }

    private static int EndOfBatch(IReadOnlyList<IPartSource> parts, int begin, int batchBytes)
    {
        var (end, bytes) = (begin, 0L);
        while (end < parts.Count && end - begin < PartLimits.MostParts && (end == begin || bytes + parts[end].Claim.Length <= batchBytes))
        {
            bytes += parts[end++].Claim.Length;
        }

        return end;
    }

    private static async Task<PutOutcome> RunBatchAsync(
        InstanceLink link, AsyncDuplexStreamingCall<PutFrame, KvPutReply> call, ByteString tenant, IReadOnlyList<IPartSource> parts, int begin, int end, TimeProvider clock, CallTimer timer)
    {
        var reserve = new KvReserve { Tenant = tenant, LeaseMs = LeaseMs };
        for (var i = begin; i < end; i++)
        {
            var claim = parts[i].Claim;
            reserve.Claims.Add(new KvClaim
            {
                Address = PartCodec.WriteAddress(claim.Address),
                Length = claim.Length,
                Previous = claim.Previous == UInt128.Zero ? ByteString.Empty : PartCodec.WriteHash(claim.Previous),
            });
        }

        var asked = clock.GetTimestamp();
        await call.RequestStream.WriteAsync(new PutFrame(new KvPutRequest { Reserve = reserve }, null), timer.Token);
        var reply = await ReadAsync(call, timer);
        link.Health.OnAnswered(clock.GetElapsedTime(asked));
        if (reply.States.Count != end - begin)
        {
            throw new RpcException(new Status(StatusCode.Internal, "The instance answered another question than it was asked."));
        }

        var (there, sent) = (0, 0);
        for (var i = begin; i < end; i++)
        {
            switch (reply.States[i - begin])
            {
                case KvClaimState.Present or KvClaimState.Busy:
                    there++;
                    break;
                case KvClaimState.Reserved when await parts[i].OpenAsync(timer.Token) is { } payload:
                    using (payload)
                    {
                        var part = new PartFrame(parts[i].Claim.Address, payload.Checksum ?? Crc32C.Compute(payload.Bytes.Span), payload.Bytes);
                        await call.RequestStream.WriteAsync(new PutFrame(null, part), timer.Token);
                        timer.OnProgress();
                        sent++;
                    }

                    break;
            }
        }

        if (sent == 0 && !reply.States.Contains(KvClaimState.Reserved))
        {
            return new PutOutcome(there, 0, end - begin - there);
        }

        await call.RequestStream.WriteAsync(new PutFrame(new KvPutRequest { Commit = new KvCommit() }, null), timer.Token);
        var committed = (await ReadAsync(call, timer)).Committed?.Parts ?? 0;
        return new PutOutcome(there + committed, committed, end - begin - there - committed);
    }

    private static async Task<KvPutReply> ReadAsync(AsyncDuplexStreamingCall<PutFrame, KvPutReply> call, CallTimer timer)
    {
        if (!await call.ResponseStream.MoveNext(timer.Token))
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The instance ended the call."));
        }

        timer.OnProgress();
        return call.ResponseStream.Current;
    }
}
