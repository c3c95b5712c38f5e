using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.IntegrationTests.Transport;

/// <summary>
/// A peer of another minor version that is dialled: it answers Hello with Hello and gives every frame of rows back in its
/// dialect. Messages are cut out of the HTTP/2 body here, without a gRPC library. It serves no heartbeats.
/// </summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly FrameDialect _dialect;
    private readonly string _peerId;

    private RawServer(string peerId, FrameDialect dialect)
    {
        (_peerId, _dialect) = (peerId, dialect);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        _app = builder.Build();
        _app.MapPost($"/{LinkProtocol.ServiceName}/Frames", ServeAsync);
    }

    public Uri Address => new(_app.Urls.First());

    /// <summary>Every frame that came, as it came.</summary>
    public Channel<byte[]> Received { get; } = Channel.CreateUnbounded<byte[]>();

    public static async Task<RawServer> StartAsync(string peerId, FrameDialect dialect)
    {
        var server = new RawServer(peerId, dialect);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        while (await ReadMessageAsync(context.Request.BodyReader, context.RequestAborted) is { } frame)
        {
            Received.Writer.TryWrite(frame);
            switch ((FrameType)frame[6])
            {
                case FrameType.Hello:
                    using (var hello = HelloFrame.Create(_peerId, 1).ToFrame(TensorBufferPool.Shared))
                    {
                        await WriteMessageAsync(context, _dialect.Write(hello));
                    }

                    break;
                case FrameType.Rows:
                    using (var copy = TensorBufferPool.Shared.Rent(frame.Length, "raw frame"))
                    {
                        frame.CopyTo(copy.Span);
                        await WriteMessageAsync(context, _dialect.Write(copy));
                    }

                    break;
                default:
                    break;
            }
        }

        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static async Task<byte[]?> ReadMessageAsync(PipeReader body, CancellationToken cancellationToken)
    {
        var prefix = await body.ReadAtLeastAsync(5, cancellationToken);
        if (prefix.Buffer.Length < 5)
        {
            return null;
        }

        var length = Length(prefix);
        body.AdvanceTo(prefix.Buffer.GetPosition(5));
        var message = await body.ReadAtLeastAsync(length, cancellationToken);
        Span<byte> frame = new byte[length];
        System.Buffers.BuffersExtensions.CopyTo(message.Buffer.Slice(0, length), frame);
        body.AdvanceTo(message.Buffer.GetPosition(length));
        return frame.ToArray();

        static int Length(ReadResult result)
        {
            Span<byte> bytes = stackalloc byte[5];
            System.Buffers.BuffersExtensions.CopyTo(result.Buffer.Slice(0, 5), bytes);
            return BinaryPrimitives.ReadInt32BigEndian(bytes[1..]);
        }
    }

    private static async Task WriteMessageAsync(HttpContext context, byte[] frame)
    {
        var prefix = new byte[5]; // not compressed, length
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), frame.Length);
        await context.Response.BodyWriter.WriteAsync(prefix, context.RequestAborted);
        await context.Response.BodyWriter.WriteAsync(frame, context.RequestAborted);
    }
}
