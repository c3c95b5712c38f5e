using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.IntegrationTests.Services;

/// <summary>A router's control stream by hand, for tests that care which shard a session gets.</summary>
internal sealed class ShardControl(AsyncDuplexStreamingCall<RouterMessage, WorkerMessage> call) : IAsyncDisposable
{
    private static readonly Epoch First = new(1, Guid.Parse("11111111-2222-3333-4444-555555555555"), 0);
    private readonly Queue<Serving> _announced = new();
    private long _incarnation;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<ShardControl> ConnectAsync(Contracts.V1.Worker.WorkerClient client)
    {
        var control = new ShardControl(client.Control(cancellationToken: Token));
        await control.SendAsync(new RouterMessage { Hello = new Hello() });
        control._incarnation = (await control.ReadAsync()).Welcome.Incarnation;
        return control;
    }

    /// <summary>Opens a session of 3 tokens' prompt that goes on for as long as it is acknowledged, and starts it if it was accepted.</summary>
    public async Task<(SessionRef Session, OpenAck Answer)> OpenAsync(Action<Open>? change = null)
    {
        var session = SessionRefs.Create(SessionId.New(), First, _incarnation);
        var open = new Open { Session = session, Model = "demo", Sampling = new Sampling { TopP = 1, RepetitionPenalty = 1, MaxTokens = 200 } };
        open.Prompt.AddRange([1, 2, 3]);
        change?.Invoke(open);
        await SendAsync(new RouterMessage { Open = open });
        var answer = (await ReadAsync(static message => message.OpenAck is not null)).OpenAck;
        if (answer.Accepted is not null)
        {
            await SendAsync(new RouterMessage { Start = new Start { Session = session, NextIncarnation = 7 } });
        }

        return (session, answer);
    }

    /// <summary>Reads a session's tokens up to a number of them (in its answer).</summary>
    public async Task ReadTokensAsync(SessionRef session, int count)
    {
        while (true)
        {
            var tokens = (await ReadAsync(message => message.Tokens?.Session.IdLow == session.IdLow)).Tokens;
            if (tokens.FirstIndex + tokens.Ids.Count >= count)
            {
                return;
            }
        }
    }

    /// <summary>Lets a session go on to 32 more than this many tokens of its answer.</summary>
    public Task AcknowledgeAsync(SessionRef session, int tokens) =>
        SendAsync(new RouterMessage { Acknowledge = new Acknowledge { Session = session, Known = 3 + tokens } });

    /// <summary>Reads on to the end of a session.</summary>
    public async Task<Finished> ReadFinishedAsync(SessionRef session) =>
        (await ReadAsync(message => message.Finished?.Session.IdLow == session.IdLow)).Finished;

    /// <summary>The next announcement of what is served; one that was passed over counts.</summary>
    public async Task<Serving> ReadServingAsync()
    {
        while (_announced.Count == 0)
        {
            await ReadAsync();
        }

        return _announced.Dequeue();
    }

    public Task SendAsync(RouterMessage message) => call.RequestStream.WriteAsync(message, Token);

    public ValueTask DisposeAsync()
    {
        call.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<WorkerMessage> ReadAsync(Func<WorkerMessage, bool> wanted)
    {
        while (true)
        {
            var message = await ReadAsync();
            if (wanted(message))
            {
                return message;
            }
        }
    }

    private async Task<WorkerMessage> ReadAsync()
    {
        Assert.True(await call.ResponseStream.MoveNext(Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        var message = call.ResponseStream.Current;
        if (message.Serving is { } serving)
        {
            _announced.Enqueue(serving);
        }

        return message;
    }
}
