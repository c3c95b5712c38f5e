using System.Text;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Worker.Gpu;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using Message = Parallax.Contracts.V1.WorkerMessage.MessageOneofCase;

namespace Parallax.IntegrationTests.Services;

/// <summary>The worker's control stream, spoken to by hand.</summary>
public sealed class WorkerProtocolTests : IAsyncLifetime
{
    private static readonly Epoch First = new(1, Guid.Parse("11111111-2222-3333-4444-555555555555"), 0);
    private readonly ScriptedEngine _engine = new() { Answer = static _ => [.. "hello"u8.ToArray().Select(static b => (int)b)] };
    private WebApplication _app = null!;
    private GrpcChannel _channel = null!;
    private Contracts.V1.Worker.WorkerClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(
            new WorkerOptions { Model = AppContext.BaseDirectory, Port = 0, DrainTime = TimeSpan.FromSeconds(30) },
            new WorkerModel("demo", 2),
            _engine);
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapWorker();
        await _app.StartAsync(Token);
        _channel = GrpcChannel.ForAddress(_app.ListeningAddress());
        _client = new Contracts.V1.Worker.WorkerClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        _engine.ExpireAll(); // nothing to drain for
        _channel.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Control_WithoutHello_IsRefused()
    {
        using var call = _client.Control(cancellationToken: Token);
        await call.RequestStream.WriteAsync(new RouterMessage { RenewLease = new RenewLease() }, Token);

        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Token));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
    }

    [Fact]
    public async Task GetInfo_Is_WhatTheEngineServes()
    {
        var info = await _client.GetInfoAsync(new GetInfoRequest(), cancellationToken: Token);
        var model = Assert.Single(info.Models);

        Assert.Equal(("demo", 0, 2, 2), (model.Name, model.LayerStart, model.LayerEnd, model.LayerCount));
        Assert.Equal((4096, 64, 258), (model.ContextLimit, model.MaxSessions, model.VocabularySize));
        Assert.Equal("0123456789abcdef", model.NumericClass.WeightsHash);
        Assert.Equal(60, info.LeaseSeconds);
        await using var stream = await ConnectAsync();
        Assert.Equal(info.Incarnation, stream.Incarnation);
    }

    [Fact]
    public async Task Health_Standard_IsServing()
    {
        var health = new Health.HealthClient(_channel);

        foreach (var service in new[] { "", "parallax.v1.Worker" })
        {
            var answer = await health.CheckAsync(new HealthCheckRequest { Service = service }, cancellationToken: Token);
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
        }
    }

    [Fact]
    public async Task Open_Start_GivesTokensInOrderAndTheEnd()
    {
        await using var stream = await ConnectAsync();
        var session = stream.Session();
        await stream.OpenAsync(session);

        Assert.Equal(16, (await stream.ReadAsync(Message.OpenAck)).OpenAck.Accepted.CachedPrefix);
        await stream.SendAsync(new RouterMessage { Start = new Start { Session = session, Keep = 16 } });
        Assert.Equal("hello", await stream.ReadTextAsync());
        Assert.Equal(5, stream.Finished!.GeneratedTokens);
        Assert.Equal(16, stream.Finished.CachedTokens);
    }

    [Fact]
    public async Task Open_Again_RepeatsTheAnswerAndOpensOnce()
    {
        await using var stream = await ConnectAsync();
        var session = stream.Session();

        for (var i = 0; i < 300; i++) // more than may be under way at once
        {
            await stream.OpenAsync(session);
            await stream.ReadAsync(Message.OpenAck);
        }

        Assert.Single(_engine.Opened);
    }

    [Fact]
    public async Task Open_OfALowerEpoch_IsStale()
    {
        await using var stream = await ConnectAsync();
        var session = stream.Session(First with { N = 3 });
        await stream.OpenAsync(session);
        await stream.ReadAsync(Message.OpenAck);

        await stream.OpenAsync(stream.Session(First, session.ToSessionId()));

        Assert.Equal(3, (await stream.ReadAsync(Message.Stale)).Stale.Session.Epoch.N);
    }

    [Fact]
    public async Task Open_OfAHigherEpoch_FencesTheSession()
    {
        await using var stream = await ConnectAsync();
        var session = stream.Session();
        await stream.OpenAsync(session);
        await stream.ReadAsync(Message.OpenAck);
        var raised = stream.Session(First with { N = 1 }, session.ToSessionId());
        await stream.OpenAsync(raised);
        Assert.Equal(1, (await stream.ReadAsync(Message.OpenAck)).OpenAck.Session.Epoch.N);
        Assert.Equal([false, true], _engine.Opened.Select(static request => request.IsFence));

        await stream.SendAsync(new RouterMessage { Acknowledge = new Acknowledge { Session = session, Known = 21 } });
        Assert.Equal(1, (await stream.ReadAsync(Message.Stale)).Stale.Session.Epoch.N);
        await stream.SendAsync(new RouterMessage { Start = new Start { Session = raised } });
        Assert.Equal("hello", await stream.ReadTextAsync());
    }

    [Theory]
    [InlineData("other", 20, RefusalCode.WrongModel)]
    [InlineData("demo", 0, RefusalCode.Invalid)]
    public async Task Open_Unsuitable_IsRefused(string model, int prompt, RefusalCode code)
    {
        await using var stream = await ConnectAsync();
        await stream.OpenAsync(stream.Session(), model, prompt);

        Assert.Equal(code, (await stream.ReadAsync(Message.OpenAck)).OpenAck.Refused.Code);
        Assert.Empty(_engine.Opened);
    }

    [Fact]
    public async Task Messages_AboutUnknownSessionsOrIncarnations_AreAnsweredWithUnknown()
    {
        await using var stream = await ConnectAsync();
        var known = stream.Session();
        await stream.OpenAsync(known);
        await stream.ReadAsync(Message.OpenAck);
        var earlier = known.Clone();
        earlier.Incarnation--;
        foreach (var session in new[] { stream.Session(), earlier })
        {
            RouterMessage[] messages =
            [
                new() { Start = new Start { Session = session } },
                new() { Acknowledge = new Acknowledge { Session = session, Known = 20 } },
                new() { Cancel = new Cancel { Session = session } },
                new() { RenewLease = new RenewLease { Sessions = { session } } },
                new() { Probe = new Probe { Session = session } },
                new() { Rejoin = new Rejoin { Session = session, Known = 20 } },
            ];
            foreach (var message in messages)
            {
                await stream.SendAsync(message);
                Assert.Equal(session, (await stream.ReadAsync(Message.Unknown)).Unknown.Session);
            }
        }
    }

    [Fact]
    public async Task Messages_WithoutASession_AreIgnored()
    {
        await using var stream = await ConnectAsync();
        await stream.SendAsync(new RouterMessage { Open = new Open() });
        await stream.SendAsync(new RouterMessage { Start = new Start() });
        await stream.SendAsync(new RouterMessage());
        await stream.OpenAsync(stream.Session());

        await stream.ReadAsync(Message.OpenAck);
    }

    [Fact]
    public async Task Probe_Running_TellsHowFarItIs()
    {
        _engine.Manual = true;
        await using var stream = await ConnectAsync();
        var session = await stream.StartedAsync();
        _engine.EmitAll(2);

        await stream.SendAsync(new RouterMessage { Probe = new Probe { Session = session, Nonce = 77 } });

        var reply = (await stream.ReadAsync(Message.ProbeReply)).ProbeReply;
        Assert.Equal((77, 2, false), (reply.Nonce, reply.Generated, reply.Finished));
        Assert.Equal("he", stream.Text); // what was said before the probe stands before the reply
    }

    [Theory]
    [InlineData(0, "hello")]
    [InlineData(3, "lo")]
    [InlineData(5, "")]
    public async Task Rejoin_OnAnotherStream_SendsFromNOnEvenAfterTheEnd(int known, string text)
    {
        await using var first = await ConnectAsync();
        var session = await first.StartedAsync();
        Assert.Equal("hello", await first.ReadTextAsync());

        await using var second = await ConnectAsync();
        await second.SendAsync(new RouterMessage { Rejoin = new Rejoin { Session = session, Known = 20 + known } });

        Assert.Equal(text, await second.ReadTextAsync());
    }

    [Fact]
    public async Task Rejoin_BeyondWhatExists_IsUnknown()
    {
        await using var stream = await ConnectAsync();
        var session = await stream.StartedAsync();
        await stream.ReadTextAsync();

        await stream.SendAsync(new RouterMessage { Rejoin = new Rejoin { Session = session, Known = 26 } });

        await stream.ReadAsync(Message.Unknown);
    }

    [Fact]
    public async Task Stream_ThatIsNotRead_DoesNotHoldTheEngineOrOthersBack()
    {
        _engine.Answer = static _ => [.. Enumerable.Repeat((int)'a', 3000)];
        await using var deaf = await ConnectAsync();
        for (var i = 0; i < 40; i++)
        {
            var session = deaf.Session();
            await deaf.OpenAsync(session);
            await deaf.SendAsync(new RouterMessage { Start = new Start { Session = session } });
            for (var known = 32; known <= 3000; known += 32)
            {
                await deaf.SendAsync(new RouterMessage { Acknowledge = new Acknowledge { Session = session, Known = 20 + known } });
            }
        }

        await using var other = await ConnectAsync();
        await other.StartedAsync();
        Assert.Equal(new string('a', 32), await other.ReadTextAsync(until: 32));
    }

    [Fact]
    public async Task Stop_WhileSessionsRun_LetsThemEndAndTakesNoNewOnes()
    {
        _engine.Manual = true;
        await using var stream = await ConnectAsync();
        await stream.StartedAsync();
        var stopping = _app.StopAsync(Token);
        await stream.ReadAsync(Message.Draining);

        await stream.OpenAsync(stream.Session());
        Assert.Equal(RefusalCode.Stopping, (await stream.ReadAsync(Message.OpenAck)).OpenAck.Refused.Code);
        Assert.False(stopping.IsCompleted);
        _engine.Release();

        Assert.Equal("hello", await stream.ReadTextAsync());
        await stream.ReadAsync(Message.Goodbye);
        await stream.DisposeAsync();
        await stopping;
    }

    [Fact]
    public async Task GetStats_CountsStreamsAndKeptSessions()
    {
        await using var stream = await ConnectAsync();
        await stream.StartedAsync();
        await stream.ReadTextAsync();

        var stats = await _client.GetStatsAsync(new GetStatsRequest(), cancellationToken: Token);

        Assert.Equal((1, 1), (stats.ControlStreams, stats.RetainedSessions));
    }

    private async Task<Stream> ConnectAsync()
    {
        var stream = new Stream(_client.Control(cancellationToken: Token));
        await stream.SendAsync(new RouterMessage { Hello = new Hello() });
        stream.Incarnation = (await stream.ReadAsync(Message.Welcome)).Welcome.Incarnation;
        return stream;
    }

    private sealed class Stream(AsyncDuplexStreamingCall<RouterMessage, WorkerMessage> call) : IAsyncDisposable
    {
        private readonly StringBuilder _text = new();

        public long Incarnation { get; set; }

        public Finished? Finished { get; private set; }

        public string Text => _text.ToString();

        public SessionRef Session(Epoch? epoch = null, SessionId? id = null) =>
            SessionRefs.Create(id ?? SessionId.New(), epoch ?? First, Incarnation);

        public Task SendAsync(RouterMessage message) => call.RequestStream.WriteAsync(message, Token);

        public Task OpenAsync(SessionRef session, string model = "demo", int prompt = 20)
        {
            var open = new Open { Session = session, Model = model, Sampling = new Sampling { MaxTokens = 4000 } };
            open.Prompt.AddRange(Enumerable.Range(0, prompt));
            return SendAsync(new RouterMessage { Open = open });
        }

        public async Task<SessionRef> StartedAsync()
        {
            var session = Session();
            await OpenAsync(session);
            await ReadAsync(Message.OpenAck);
            await SendAsync(new RouterMessage { Start = new Start { Session = session } });
            return session;
        }

        /// <summary>Reads on to a message of this kind, collecting tokens on the way; others must not come.</summary>
        public async Task<WorkerMessage> ReadAsync(Message kind)
        {
            while (true)
            {
                Assert.True(await call.ResponseStream.MoveNext(Token).WaitAsync(TimeSpan.FromMinutes(2), Token));
                var message = call.ResponseStream.Current;
                if (message.MessageCase == kind)
                {
                    return message;
                }

                Assert.Equal(Message.Tokens, message.MessageCase);
                Collect(message.Tokens);
            }
        }

        /// <summary>Reads tokens to the end of the session, or to a number of them.</summary>
        public async Task<string> ReadTextAsync(int until = int.MaxValue)
        {
            while (_text.Length < until)
            {
                Assert.True(await call.ResponseStream.MoveNext(Token).WaitAsync(TimeSpan.FromMinutes(2), Token));
                var message = call.ResponseStream.Current;
                if (message.MessageCase == Message.Finished)
                {
                    Finished = message.Finished;
                    break;
                }

                Assert.Equal(Message.Tokens, message.MessageCase);
                Collect(message.Tokens);
            }

            return Text;
        }

        public ValueTask DisposeAsync()
        {
            call.Dispose();
            return ValueTask.CompletedTask;
        }

        private void Collect(Tokens tokens) => _text.Append(string.Concat(tokens.Ids.Select(static id => (char)id)));
    }
}
