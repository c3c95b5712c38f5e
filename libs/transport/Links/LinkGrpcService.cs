using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Links;

/// <summary>The gRPC face of a hub.</summary>
internal sealed class LinkGrpcService(LinkHub hub)
{
    public Task Frames(IAsyncStreamReader<TensorBuffer> reader, IServerStreamWriter<TensorBuffer> writer, ServerCallContext context) =>
        hub.ServeFramesAsync(reader, writer, context.GetHttpContext(), context.CancellationToken);

    public Task Heartbeats(IAsyncStreamReader<TensorBuffer> reader, IServerStreamWriter<TensorBuffer> writer, ServerCallContext context) =>
        hub.ServeHeartbeatsAsync(reader, writer, context.GetHttpContext(), context.CancellationToken);
}

/// <summary>Binds the two methods, which no generated code describes.</summary>
internal sealed class LinkMethodProvider(LinkHub hub) : IServiceMethodProvider<LinkGrpcService>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<LinkGrpcService> context)
    {
        context.AddDuplexStreamingMethod(
            hub.Protocol.Frames, [], static (service, reader, writer, call) => service.Frames(reader, writer, call));
        context.AddDuplexStreamingMethod(
            hub.Protocol.Heartbeats, [], static (service, reader, writer, call) => service.Heartbeats(reader, writer, call));
    }
}
