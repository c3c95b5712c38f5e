using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.KvBlocks;
using Parallax.KvClient.Instances;
using Parallax.KvClient.Protocol;
using Parallax.Transport.Framing;

namespace Parallax.KvClient.Calls;

/// <summary>Fetches parts from one instance.</summary>
internal static class GetCall
{
    /// <summary>Fetches what is there into its places; throws what gRPC throws when the instance fails, and what came before stays.</summary>
    /// <param name="link">The instance.</param>
    /// <param name="protocol">Its calls.</param>
    /// <param name="tenant">Whose parts.</param>
    /// <param name="addresses">All addresses of the fetch.</param>
    /// <param name="places">Which of them to ask for.</param>
    /// <param name="parts">Where parts go.</param>
    /// <param name="timer">Told of progress.</param>
    public static async Task RunAsync(
        InstanceLink link, KvProtocol protocol, TenantId tenant, IReadOnlyList<PartAddress> addresses, IReadOnlyList<int> places, FetchedParts parts, CallTimer timer)
    {
        var name = PartCodec.WriteHash(tenant.Value);
        for (var begin = 0; begin < places.Count; begin += PartLimits.MostParts)
        {
            var request = new KvGetRequest { Tenant = name };
            var end = Math.Min(places.Count, begin + PartLimits.MostParts);
            for (var i = begin; i < end; i++)
            {
                request.Addresses.Add(PartCodec.WriteAddress(addresses[places[i]]));
            }

            using var call = link.Next().AsyncServerStreamingCall(protocol.Get, null, new CallOptions(cancellationToken: timer.Token), request);
            for (var i = begin; i < end; i++)
            {
                if (!await call.ResponseStream.MoveNext(timer.Token))
                {
                    throw new RpcException(new Status(StatusCode.Unavailable, "The instance ended the call."));
                }

                timer.OnProgress();
                if (call.ResponseStream.Current.Part is { } part)
                {
                    Take(part, addresses[places[i]], places[i], parts);
                }
            }
        }

        link.Health.OnAnswered(null);
    }

    private static void Take(PartFrame part, PartAddress expected, int place, FetchedParts parts)
    {
        if (part.Address == expected && Crc32C.Compute(part.Payload.Span) == part.Checksum)
        {
            parts.Set(place, part.Buffer!, part.Checksum);
            return;
        }

        part.Buffer!.Dispose();
        throw new RpcException(new Status(StatusCode.DataLoss, "The instance sent another part than it was asked for, or a damaged one."));
    }
}
