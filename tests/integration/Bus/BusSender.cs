using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Parallax.Audit.Chain;
using Parallax.Audit.Outbox;
using Parallax.Bus;
using Parallax.Bus.Audit;
using Parallax.Bus.Commands;

namespace Parallax.IntegrationTests.Bus;

/// <summary>A router's side of the bus, in a host of its own.</summary>
internal sealed class BusSender : IAsyncDisposable
{
    private readonly IHost _host;

    private BusSender(IHost host) => _host = host;

    public IAuditTransport Audit => _host.Services.GetRequiredService<IAuditTransport>();

    public CommandClient Commands => _host.Services.GetRequiredService<CommandClient>();

    public BusState State => _host.Services.GetRequiredService<BusState>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<BusSender> StartAsync(BusOptions options)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddParallaxBus(options).AddBusAuditTransport().AddCommandClient();
        BusLogs.Show(builder.Logging, "sender");
        var host = builder.Build();
        await host.StartAsync(Token);
        return new BusSender(host);
    }

    /// <summary>Sends as the log's shipper does: the same events again until they are taken.</summary>
    /// <returns>How often that failed.</returns>
    public async Task<int> ShipAsync(ImmutableArray<ChainedEvent> events)
    {
        for (var failures = 0; ; failures++)
        {
            try
            {
                await Audit.SendAsync(events, Token);
                return failures;
            }
            catch (BusException)
            {
                await Task.Delay(100, Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
