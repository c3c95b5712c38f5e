using Google.Protobuf;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using Parallax.KvBlocks.Puts;
using Parallax.KvCache.Observability;
using Parallax.KvClient.Protocol;

namespace Parallax.KvCache.Grpc;

/// <summary>
/// The calls of an instance. What comes is untrusted: bounded, checked, and about the tenant that it names and no other. Who may call
/// at all the member's gate has decided.
/// </summary>
internal sealed class KvCacheService(BlockStore store, DiskTier? disk, KvCacheOptions options, KvCacheInstruments instruments)
{
    private static readonly TimeSpan ReadLease = TimeSpan.FromSeconds(30);

    /// <summary>Puts, one after the other. What is open when the stream ends is given up.</summary>
    public async Task PutAsync(IAsyncStreamReader<PutFrame> reader, IServerStreamWriter<KvPutReply> writer, ServerCallContext context)
    {
        var open = 0L;
        try
        {
            while (await reader.MoveNext(context.CancellationToken))
            {
                var frame = reader.Current;
                if (frame.Part is { } part)
                {
                    instruments.OnReceived(part.Payload.Length);
                    if (store.Write(open, part.Address, part.Buffer!, part.Checksum) is var state and not WriteState.Written)
                    {
                        instruments.OnRefused(state);
                    }
                }
                else if (frame.Control!.Reserve is { } reserve)
                {
                    store.Cancel(open);
                    var (tenant, claims, lease) = Checked(() => (PartCodec.ReadHash(reserve.Tenant), ReadClaims(reserve), ReadLeaseOf(reserve)));
                    var reservation = store.Reserve(new TenantId(tenant), claims, lease);
                    open = reservation.Id;
                    var reply = new KvPutReply();
                    reply.States.AddRange(reservation.States.Select(static one => (KvClaimState)one));
                    await writer.WriteAsync(reply, context.CancellationToken);
                }
                else if (frame.Control.Commit is not null)
                {
                    var parts = store.Commit(open);
                    open = 0;
                    await writer.WriteAsync(new KvPutReply { Committed = new KvCommitted { Parts = parts } }, context.CancellationToken);
                }
                else
                {
                    throw Invalid("A message of a put reserves, carries a part or commits.");
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException && context.CancellationToken.IsCancellationRequested)
        {
            // The caller is gone, and so is what it had not committed.
        }
        finally
        {
            store.Cancel(open);
        }
    }

    /// <summary>Answers each address with its part, or that it is missing.</summary>
    public async Task GetAsync(KvGetRequest request, IServerStreamWriter<GetFrame> writer, ServerCallContext context)
    {
        if (request.Addresses.Count > PartLimits.MostParts)
        {
            throw Invalid($"At most {PartLimits.MostParts} parts can be had in one call.");
        }

        var (tenant, addresses) = Checked(() => (new TenantId(PartCodec.ReadHash(request.Tenant)), request.Addresses.Select(PartCodec.ReadAddress).ToArray()));
        var lease = store.Acquire(tenant, addresses, ReadLease);
        try
        {
            foreach (var address in addresses)
            {
                using var found = await store.ReadAsync(tenant, address, context.CancellationToken);
                await writer.WriteAsync(
                    new GetFrame(found is null ? null : new PartFrame(address, found.Checksum, found.Payload.Memory)), context.CancellationToken);
                instruments.OnSent(found?.Payload.Length ?? 0);
            }
        }
        finally
        {
            store.Release(lease.Id);
        }
    }

    /// <summary>Says which blocks are whole.</summary>
    public Task<KvLookupReply> LookupAsync(KvLookupRequest request)
    {
        var query = new ChainQuery(request.LayerStart, request.LayerEnd, request.Outputs);
        if (request.Chain.Count > PartLimits.MostBlocks || !query.IsValid)
        {
            throw Invalid($"A question is about at most {PartLimits.MostBlocks} blocks and layers from 0 to {PartAddress.MostLayers}.");
        }

        var (tenant, chain) = Checked(() => (new TenantId(PartCodec.ReadHash(request.Tenant)), request.Chain.Select(PartCodec.ReadHash).ToArray()));
        var found = store.Lookup(tenant, chain, query);
        var whole = new byte[(chain.Length + 7) / 8];
        found.Whole.CopyTo(whole, 0);
        return Task.FromResult(new KvLookupReply { Leading = found.Leading, Whole = UnsafeByteOperations.UnsafeWrap(whole) });
    }

    /// <summary>Tells what there is.</summary>
    public Task<KvStatReply> StatAsync()
    {
        var (held, written) = (store.Statistics, disk?.Statistics);
        return Task.FromResult(new KvStatReply
        {
            Parts = held.Parts,
            Tenants = held.Tenants,
            MemoryBytes = held.MemoryBytes,
            MemoryBudget = options.MemoryBytes,
            DiskBytes = held.DiskBytes,
            DiskBudget = options.DiskBytes,
            Puts = held.Puts,
            Hits = held.Hits,
            Misses = held.Misses,
            Corrupt = held.Corrupt,
            DiskProblem = written?.Problem ?? "",
            Unwritten = held.Unwritten,
            Written = written?.Written ?? 0,
        });
    }

    private static PartClaim[] ReadClaims(KvReserve reserve)
    {
        if (reserve.Claims.Count > PartLimits.MostParts || reserve.Claims.Sum(static claim => (long)Math.Max(0, claim.Length)) > PartLimits.MostReservedBytes)
        {
            throw Invalid($"At most {PartLimits.MostParts} parts and {PartLimits.MostReservedBytes >> 20} MiB can be reserved at once.");
        }

        return [.. reserve.Claims.Select(static claim => new PartClaim(
            PartCodec.ReadAddress(claim.Address), claim.Length, claim.Previous.IsEmpty ? UInt128.Zero : PartCodec.ReadHash(claim.Previous)))];
    }

    private static TimeSpan ReadLeaseOf(KvReserve reserve) =>
        reserve.LeaseMs > 0 && TimeSpan.FromMilliseconds(reserve.LeaseMs) is var lease && lease <= PartLimits.LongestLease
            ? lease
            : throw Invalid($"A reservation holds for 1 ms to {PartLimits.LongestLease.TotalSeconds} s.");

    private static T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw Invalid(e.Message);
        }
    }

    private static RpcException Invalid(string problem) => new(new Status(StatusCode.InvalidArgument, problem));
}
