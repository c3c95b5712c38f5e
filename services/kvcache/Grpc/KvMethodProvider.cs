using Grpc.AspNetCore.Server.Model;
using Parallax.KvClient.Protocol;

namespace Parallax.KvCache.Grpc;

/// <summary>Binds the calls, whose messages with parts no generated code reads.</summary>
internal sealed class KvMethodProvider(KvProtocol protocol) : IServiceMethodProvider<KvCacheService>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<KvCacheService> context)
    {
        context.AddDuplexStreamingMethod(protocol.Put, [], static (service, reader, writer, call) => service.PutAsync(reader, writer, call));
        context.AddServerStreamingMethod(protocol.Get, [], static (service, request, writer, call) => service.GetAsync(request, writer, call));
        context.AddUnaryMethod(protocol.Lookup, [], static (service, request, _) => service.LookupAsync(request));
        context.AddUnaryMethod(protocol.Stat, [], static (service, _, _) => service.StatAsync());
    }
}
