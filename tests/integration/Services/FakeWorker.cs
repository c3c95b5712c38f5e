using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Message = Parallax.Contracts.V1.RouterMessage.MessageOneofCase;

namespace Parallax.IntegrationTests.Services;

/// <summary>A worker that only speaks the protocol: it accepts everything, notes what it is told, and says what a test wants said.</summary>
internal sealed class FakeWorker : Contracts.V1.Worker.WorkerBase, IAsyncDisposable
{
    private readonly ConcurrentDictionary<Channel<WorkerMessage>, bool> _streams = new();
    private WebApplication _app = null!;
    private int _streamCount;

    public required WorkerInfo Info { get; set; }

    public Uri Address { get; private set; } = null!;

    /// <summary>Control streams so far.</summary>
    public int StreamCount => Volatile.Read(ref _streamCount);

    /// <summary>All that routers said, in order.</summary>
    public ConcurrentQueue<RouterMessage> Received { get; } = new();

    /// <summary>The answers to what a router says, besides accepting sessions.</summary>
    public Func<RouterMessage, IEnumerable<WorkerMessage>> Reply { get; set; } = static _ => [];

    public static ServedModel Serves(string model, int start, int end, int layers, int context = 4096) => new()
    {
        Name = model,
        LayerStart = start,
        LayerEnd = end,
        LayerCount = layers,
        NumericClass = new NumericClass { ArithmeticVersion = 1, WeightsHash = "0123456789abcdef", Residual = NumericClass.Types.Residual.Bf16, Backend = "fake" },
        ContextLimit = context,
        MaxSessions = 8,
        VocabularySize = 258,
    };

    public static async Task<FakeWorker> StartAsync(string id, long incarnation, params ServedModel[] models)
    {
        var worker = new FakeWorker { Info = new WorkerInfo { WorkerId = id, Incarnation = incarnation, Models = { models } } };
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Logging.ClearProviders();
        builder.Listen(IPAddress.Loopback, 0, HttpProtocols.Http2);
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(worker);
        worker._app = builder.Build();
        worker._app.MapGrpcService<FakeWorker>();
        await worker._app.StartAsync(TestContext.Current.CancellationToken);
        worker.Address = worker._app.ListeningAddress();
        return worker;
    }

    /// <summary>Says something to every router that is connected.</summary>
    public void Say(WorkerMessage message)
    {
        foreach (var stream in _streams.Keys)
        {
            stream.Writer.TryWrite(message);
        }
    }

    public override Task<WorkerInfo> GetInfo(GetInfoRequest request, ServerCallContext context) => Task.FromResult(Info);

    public override async Task Control(
        IAsyncStreamReader<RouterMessage> requestStream, IServerStreamWriter<WorkerMessage> responseStream, ServerCallContext context)
    {
        Assert.True(await requestStream.MoveNext(context.CancellationToken));
        Assert.Equal(Message.Hello, requestStream.Current.MessageCase);
        var outgoing = Channel.CreateUnbounded<WorkerMessage>();
        outgoing.Writer.TryWrite(new WorkerMessage { Welcome = new Welcome { Incarnation = Info.Incarnation } });
        _streams[outgoing] = true;
        Interlocked.Increment(ref _streamCount);
        var writing = WriteAsync(outgoing.Reader, responseStream, context.CancellationToken);
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                Hear(requestStream.Current, outgoing.Writer);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The router hung up.
        }
        finally
        {
            _streams.TryRemove(outgoing, out _);
            outgoing.Writer.Complete();
            await writing;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private void Hear(RouterMessage message, ChannelWriter<WorkerMessage> answers)
    {
        Received.Enqueue(message);
        if (message.Open is { } open)
        {
            var session = open.Session.Clone();
            session.Incarnation = Info.Incarnation;
            answers.TryWrite(new WorkerMessage { OpenAck = new OpenAck { Session = session, Accepted = new OpenAck.Types.Accepted { CachedPrefix = 16 } } });
        }

        foreach (var reply in Reply(message))
        {
            answers.TryWrite(reply);
        }
    }

    private static async Task WriteAsync(ChannelReader<WorkerMessage> from, IServerStreamWriter<WorkerMessage> to, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in from.ReadAllAsync(cancellationToken))
            {
                await to.WriteAsync(message, cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The router hung up.
        }
    }
}
