using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Identity.Access;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.TransportBenchmark;

/// <summary>
/// The other process. A decode row (one row) is read, copied into a new frame and sent back, as a stage would; a prefill
/// frame is read and dropped, and the last one is answered. Beside it a raw socket does the same: 8 KiB are echoed, a
/// stream is summed.
/// </summary>
internal static class EchoServer
{
    public const int RawMessage = BenchmarkPeer.Hidden * 2;
    public const int RawChunk = 256 * 1024;

    /// <param name="folder">Where the credentials of a member lie; null for clear text.</param>
    public static async Task<int> RunAsync(string? folder)
    {
        var credentials = folder is null ? null : BenchmarkSwarm.Load(folder);
        var peer = new BenchmarkPeer { FrameHandler = Echo };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseTransportLimits();
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                credentials?.Secure(listen);
            });
        });
        if (credentials is not null)
        {
            builder.Services.AddSwarmAccess(credentials);
            builder.Services.AddSingleton(BenchmarkSwarm.Security(credentials)!);
        }

        builder.Services.AddSingleton<ILinkHandler>(peer);
        builder.Services.AddTransport(options => BenchmarkPeer.Configure(credentials?.Self.ToString() ?? BenchmarkPeer.ServerId, options));
        await using var app = builder.Build();
        app.MapTransport();
        await app.StartAsync();
        using var raw = new TcpListener(IPAddress.Loopback, 0);
        raw.Start();
        _ = ServeRawAsync(raw);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Console.WriteLine($"{address} {((IPEndPoint)raw.LocalEndpoint).Port}");
        // The parent closes standard input when it is done.
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        return 0;
    }

    [ThreadStatic]
    private static RowFrameBuilder? _builder;

    private static void Echo(Link link, long generation, Parallax.Transport.Buffers.TensorBuffer frame, FrameHeader header)
    {
        var reader = new RowFrameReader(frame.Span, header);
        while (reader.MoveNext())
        {
            var run = reader.Current;
            if (run.Head.Count == 1 || run.Samples(run.Head.Count - 1))
            {
                _builder ??= new RowFrameBuilder(Parallax.Transport.Buffers.TensorBufferPool.Shared);
                _builder.Append(BenchmarkPeer.Row, run.TokenIds[..1], int.MaxValue, run.Row(0));
                var answer = _builder.Complete()!;
                if (link.TrySend(answer, FramePriority.Decode, generation) != SendResult.Queued)
                {
                    answer.Dispose();
                }
            }
        }

        frame.Dispose();
    }

    private static async Task ServeRawAsync(TcpListener listener)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
            client.NoDelay = true;
            var stream = client.GetStream();
            var buffer = new byte[RawChunk];
            await stream.ReadExactlyAsync(buffer.AsMemory(0, 1));
            if (buffer[0] == 0)
            {
                while (await stream.ReadAtLeastAsync(buffer.AsMemory(0, RawMessage), RawMessage, throwOnEndOfStream: false) == RawMessage)
                {
                    await stream.WriteAsync(buffer.AsMemory(0, RawMessage));
                }

                continue;
            }

            var sum = 0u;
            var target = new byte[RawChunk];
            while (await stream.ReadAtLeastAsync(buffer, RawChunk, throwOnEndOfStream: false) == RawChunk)
            {
                buffer.CopyTo(target, 0);
                sum ^= Crc32C.Compute(target);
            }

            await stream.WriteAsync(BitConverter.GetBytes(sum));
        }
    }
}
