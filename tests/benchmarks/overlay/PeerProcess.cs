using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Identity;
using Parallax.Overlay;
using Parallax.Overlay.Node;

namespace Parallax.OverlayBenchmark;

/// <summary>
/// One peer, told what to do line by line on standard input: <c>put NAME</c>, <c>get NAME</c>, <c>peers</c>. It answers with
/// a line of figures. The first line names the bootstrap address, or nothing.
/// </summary>
internal static class PeerProcess
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    public static async Task<int> RunAsync()
    {
        var bootstrap = await Console.In.ReadLineAsync();
        using var key = PeerKey.Create();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(key);
        builder.Services.AddOverlay((_, options) =>
        {
            options.Incarnation = 1;
            // A measurement calls one and the same peer more often than members do.
            options.CallsPerSecond = 100_000;
            options.CallBurst = 100_000;
            if (!string.IsNullOrEmpty(bootstrap))
            {
                options.Bootstrap.Add(new Uri(bootstrap));
            }
        });
        await using var app = builder.Build();
        app.MapOverlay();
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var node = app.Services.GetRequiredService<OverlayNode>();
        node.Start(new Uri(address));
        await node.Joined;
        Console.WriteLine(address);
        // The parent closes standard input when it is done.
        while (await Console.In.ReadLineAsync() is { } line)
        {
            Console.WriteLine(await ObeyAsync(node, line.Split(' ')));
        }

        return 0;
    }

    private static async Task<string> ObeyAsync(OverlayNode node, string[] command)
    {
        var began = Stopwatch.GetTimestamp();
        var result = command switch
        {
            ["put", var name] => await PutAsync(node, name),
            ["get", var name] => (await node.GetAsync(OverlayKey.Of("benchmark", name), CancellationToken.None)).Length,
            ["peers"] => node.Peers.Length,
            _ => throw new ArgumentException($"'{string.Join(' ', command)}' is no command of a peer."),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:F3} {result}");
    }

    private static Task<int> PutAsync(OverlayNode node, string name)
    {
        var value = new byte[1024]; // about what a worker says of itself
        return node.PutAsync(node.Seal(OverlayKey.Of("benchmark", name), value, Lease), CancellationToken.None);
    }
}
