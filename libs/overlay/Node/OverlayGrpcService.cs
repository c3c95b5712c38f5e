using System.Net;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Records;
using Wire = Parallax.Contracts.V1;

namespace Parallax.Overlay.Node;

/// <summary>The overlay's calls as others make them. Checks who calls and what, and hands it to the node.</summary>
internal sealed class OverlayGrpcService(OverlayNode node) : Wire.Overlay.OverlayBase
{
    private const string ReservedKey = "certificate:";

    public override Task<Wire.PingReply> Ping(Wire.PingRequest request, ServerCallContext context)
    {
        Handle(request.Self, PingCall.Instance, context);
        return Task.FromResult(new Wire.PingReply { Self = new Wire.OverlayPeer { Id = OverlayMapping.ToWire(node.Self), Address = node.Address!.OriginalString } });
    }

    public override Task<Wire.FindNodeReply> FindNode(Wire.FindNodeRequest request, ServerCallContext context)
    {
        var target = Require(OverlayMapping.ReadId(request.Target), "target");
        var answer = (FindNodeAnswer)Handle(request.Self, new FindNodeCall(target), context);
        var reply = new Wire.FindNodeReply { Responder = OverlayMapping.ToWire(node.Self) };
        reply.Peers.AddRange(answer.Peers.Select(OverlayMapping.ToWire));
        return Task.FromResult(reply);
    }

    public override Task<Wire.FindValueReply> FindValue(Wire.FindValueRequest request, ServerCallContext context)
    {
        var key = Require(OverlayMapping.ReadId(request.Key), "key");
        PeerId? after = request.After.IsEmpty ? null : Require(OverlayMapping.ReadId(request.After), "after");
        var answer = (FindValueAnswer)Handle(request.Self, new FindValueCall(new OverlayKey(key), after), context);
        var reply = new Wire.FindValueReply { More = answer.More, Responder = OverlayMapping.ToWire(node.Self) };
        reply.Records.AddRange(answer.Records.Select(static held => OverlayMapping.ToWire(held)));
        reply.Peers.AddRange(answer.Peers.Select(OverlayMapping.ToWire));
        return Task.FromResult(reply);
    }

    public override Task<Wire.StoreReply> Store(Wire.StoreRequest request, ServerCallContext context)
    {
        if (request.Records.Count > CoreSettings.MaxRecordsPerStore)
        {
            node.Refuse(OverlayRefusal.Oversized);
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"A store carries {CoreSettings.MaxRecordsPerStore} records at most; this one has {request.Records.Count}."));
        }

        var read = request.Records.Select(OverlayMapping.ReadRecord).ToList();
        List<HeldRecord> records = [.. read.OfType<HeldRecord>()];
        var answer = (StoreAnswer)Handle(request.Self, new StoreCall(records), context);
        var reply = new Wire.StoreReply { Responder = OverlayMapping.ToWire(node.Self) };
        var next = 0;
        for (var i = 0; i < read.Count; i++)
        {
            var outcome = StoreOutcome.Refused;
            if (read[i] is not null)
            {
                outcome = answer.Outcomes[next++];
            }
            else
            {
                node.Refuse(OverlayMapping.WhyNot(request.Records[i]));
            }

            node.Metrics.Stored(outcome);
            reply.Results.Add(OverlayMapping.ToWire(outcome));
        }

        return Task.FromResult(reply);
    }

    private static PeerId Require(PeerId? id, string field) =>
        id ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"{field} must have {PeerId.Size} bytes."));

    private OverlayAnswer Handle(Wire.OverlayPeer? self, OverlayRequest request, ServerCallContext context)
    {
        if (node.Address is null)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "This peer has not joined the overlay yet."));
        }

        return node.Handle(CallerOf(self, context), request)
            ?? throw new RpcException(new Status(StatusCode.ResourceExhausted, "This caller makes more calls than this peer answers. Call less often."));
    }

    private OverlayCaller CallerOf(Wire.OverlayPeer? self, ServerCallContext context)
    {
        var claimed = Require(OverlayMapping.ReadId(self?.Id ?? Google.Protobuf.ByteString.Empty), "self.id");
        var contact = OverlayMapping.ReadContact(self);
        if (contact is null && self!.Address.Length > 0)
        {
            node.Refuse(OverlayRefusal.Malformed);
            throw new RpcException(new Status(StatusCode.InvalidArgument, "self.address must be http or https with a host and a port, or empty."));
        }

        if (node.Options.CallerIdentity is { } identity)
        {
            var certified = identity(context);
            if (certified != claimed)
            {
                node.Refuse(OverlayRefusal.WrongIdentity);
                throw new RpcException(certified is null
                    ? new Status(StatusCode.Unauthenticated, "The overlay is for members of the swarm: call with a certificate.")
                    : new Status(StatusCode.PermissionDenied, $"The certificate is {certified}'s, and self.id is {claimed}."));
            }

            return new OverlayCaller(ReservedKey + claimed, contact);
        }

        // Without certificates a caller is where it calls from; on loopback, where everybody calls from one address, who it says.
        var remote = context.GetHttpContext().Connection.RemoteIpAddress;
        return new OverlayCaller(remote is null || IPAddress.IsLoopback(remote) ? $"local:{claimed}" : $"address:{remote}", contact);
    }
}
