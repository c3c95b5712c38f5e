using System.IO.Pipelines;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Observability;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using Message = Parallax.Contracts.V1.RouterMessage.MessageOneofCase;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// One router's control stream while it lasts: reads its messages in order, hands them to the engine, and lets
/// <see cref="ControlStream"/> send what comes back. Its end ends no session.
/// </summary>
internal sealed partial class ControlCall(WorkerState state, Guid router, TimeProvider clock, ILogger<ControlCall> logger) : IDisposable
{
    /// <summary>How long a router may take to hang up after Goodbye.</summary>
    private static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(2);

    private readonly ControlStream _stream = new();

    public async Task RunAsync(
        IAsyncStreamReader<RouterMessage> requests, IServerStreamWriter<WorkerMessage> responses, ServerCallContext context)
    {
        state.OnStreamOpened();
        LogOpened(router);
        var changed = state.Shards.Changed; // before Welcome: nothing that changes from here on is missed
        var body = context.GetHttpContext().Response.BodyWriter;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        await _stream.ReplyAsync(new WorkerMessage { Welcome = new Welcome { Incarnation = state.Incarnation } }, ending.Token);
        var reading = ReadAsync(requests, ending.Token);
        var draining = AnnounceDrainAsync(ending.Token);
        var serving = AnnounceServingAsync(changed, ending.Token);
        await using var closing = state.Closing.Register(_stream.Complete);
        try
        {
            await _stream.WriteAsync(
                responses, async cancellationToken => await body.FlushAsync(cancellationToken), context.CancellationToken);
            if (state.Closing.IsCancellationRequested)
            {
                await SayGoodbyeAsync(responses, body, reading, context.CancellationToken);
            }
        }
        catch (Exception e) when (context.CancellationToken.IsCancellationRequested && e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The router or the network between ended the stream; its sessions wait for it to come back.
        }
        finally
        {
            _stream.Complete();
            foreach (var session in state.Sessions.Snapshot())
            {
                session.Release(_stream);
            }

            await ending.CancelAsync();
            await Task.WhenAll(reading, draining, serving);
            state.OnStreamClosed();
            LogClosed(router);
        }
    }

    public void Dispose() => _stream.Dispose();

    private async Task SayGoodbyeAsync(
        IServerStreamWriter<WorkerMessage> responses, PipeWriter body, Task reading, CancellationToken cancellationToken)
    {
        await responses.WriteAsync(new WorkerMessage { Goodbye = new Goodbye() }, cancellationToken);
        await body.FlushAsync(cancellationToken);
        await reading.WaitAsync(GoodbyeTime, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ReadAsync(IAsyncStreamReader<RouterMessage> requests, CancellationToken cancellationToken)
    {
        try
        {
            while (await requests.MoveNext(cancellationToken))
            {
                await HandleAsync(requests.Current, cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            // As above.
        }
        finally
        {
            _stream.Complete();
        }
    }

    private async Task AnnounceDrainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await state.Draining.WaitAsync(cancellationToken);
            await _stream.ReplyAsync(new WorkerMessage { Draining = new Draining() }, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The stream ended first.
        }
    }

    private async Task AnnounceServingAsync(Task changed, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await changed.WaitAsync(cancellationToken);
                changed = state.Shards.Changed; // several changes while a message waits to be sent become one
                var serving = new Serving();
                serving.Models.AddRange(state.Shards.Serving.Select(WorkerMapping.ToWire));
                serving.Ending.AddRange(state.Shards.Ending.Select(WorkerMapping.ToWire));
                await _stream.ReplyAsync(new WorkerMessage { Serving = serving }, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The stream ended.
        }
    }

    private async ValueTask HandleAsync(RouterMessage message, CancellationToken cancellationToken)
    {
        switch (message.MessageCase)
        {
            case Message.Open:
                await OpenAsync(message.Open, cancellationToken);
                break;
            case Message.Start:
                if (await FindAsync(message.Start.Session, cancellationToken) is { } started && started.TryStart(message.Start.Answer))
                {
                    started.Engine?.Start(
                        started.Id, message.Start.Session.ToEpoch(), message.Start.Keep, message.Start.NextIncarnation, [.. message.Start.Answer]);
                }

                break;
            case Message.Acknowledge:
                if (await FindAsync(message.Acknowledge.Session, cancellationToken) is { } acknowledged)
                {
                    acknowledged.OnAcknowledged(message.Acknowledge.Known);
                    acknowledged.Engine?.Acknowledge(acknowledged.Id, acknowledged.Epoch, message.Acknowledge.Known);
                }

                break;
            case Message.Cancel:
                if (await FindAsync(message.Cancel.Session, cancellationToken) is { } cancelled)
                {
                    cancelled.Engine?.Cancel(cancelled.Id, cancelled.Epoch);
                }

                break;
            case Message.RenewLease:
                foreach (var reference in message.RenewLease.Sessions)
                {
                    if (await FindAsync(reference, cancellationToken) is { } renewed)
                    {
                        renewed.Engine?.RenewLease(renewed.Id);
                    }
                }

                break;
            case Message.Probe:
                await ProbeAsync(message.Probe, cancellationToken);
                break;
            case Message.Mirror:
                if (await FindAsync(message.Mirror.Session, cancellationToken) is { } mirrored)
                {
                    mirrored.Engine?.Mirror(mirrored.Id, message.Mirror.Session.ToEpoch(), WorkerMapping.ToTargets(message.Mirror));
                }

                break;
            case Message.Ping:
                await _stream.ReplyAsync(new WorkerMessage { Pong = new Pong { Nonce = message.Ping.Nonce } }, cancellationToken);
                break;
            case Message.Rejoin:
                await RejoinAsync(message.Rejoin, cancellationToken);
                break;
            default:
                // A newer router's message, or a second Hello: nothing that this version must react to.
                LogIgnored(router, message.MessageCase);
                break;
        }
    }

    private async ValueTask OpenAsync(Open open, CancellationToken cancellationToken)
    {
        if (open.Session is not { } named)
        {
            LogIgnored(router, Message.Open);
            return;
        }

        var id = named.ToSessionId();
        var epoch = named.ToEpoch();
        await _stream.WaitForOpenRoomAsync(cancellationToken);
        var present = state.Sessions.Find(id);
        if (present is not null)
        {
            if (epoch == present.Epoch)
            {
                if (!present.Adopt(_stream))
                {
                    _stream.ReleaseOpenRoom();
                }

                return;
            }

            if (epoch < present.Epoch)
            {
                _stream.ReleaseOpenRoom();
                await ReplyStaleAsync(present, cancellationToken);
                return;
            }

        }

        var route = OpenRoute.Of(open, state, present?.Shard);
        if (present is { CanBeFenced: true } && route.Shard is not null && ReferenceEquals(route.Shard, present.Shard))
        {
            if (present.Fence(_stream, epoch, open.Answer, EmitsTokens(open, route)))
            {
                _stream.ReleaseOpenRoom();
            }

            _ = FenceAsync(open, route, present, present.Reference);
            return;
        }

        present?.Engine?.Cancel(present.Id, present.Epoch);

        // Not awaited: other sessions' messages must not wait for this one. The engine keeps the order of calls, and the task
        // ends with an answer whatever happens.
        _ = OpenAsync(open, route, id, epoch);
    }

    /// <summary>Stops a session that is held here at the epoch of an Open, and opens it anew if it ended on the way.</summary>
    private async Task FenceAsync(Open open, OpenRoute route, WorkerSession session, SessionRef reference)
    {
        try
        {
            var answer = session.AcknowledgeEnd(reference);
            if (answer is null && session.Engine is { } engine)
            {
                var fence = WorkerMapping.ToRequest(open, route.Path) with { IsFence = true };
                var result = await engine.OpenAsync(fence, session, CancellationToken.None);
                answer = result.Refusal is OpenRefusal.NotHeld ? session.AcknowledgeEnd(reference) : WorkerMapping.ToWire(result, reference);
            }

            if (answer is not null)
            {
                session.Answer(answer);
                return;
            }

            await OpenAsync(open, route, session.Id, reference.ToEpoch());
        }
        catch (Exception e)
        {
            LogOpenFailed(e, session.Id);
            session.Answer(WorkerMapping.Refuse(reference, RefusalCode.Internal, $"The worker failed to fence the session: {e.Message}"));
        }
    }

    private async Task OpenAsync(Open open, OpenRoute route, SessionId id, Epoch epoch)
    {
        var session = new WorkerSession(
            id,
            epoch,
            open.Prompt.Count,
            open.Sampling?.HasTopLogProbs ?? false,
            state.Incarnation,
            state.Sessions,
            route.Shard,
            EmitsTokens(open, route),
            open.Answer)
        {
            Content = SessionContent.HashOf(open.Prompt, open.Sampling),
            Span = StageTracing.Begin(open, id),
        };
        session.Adopt(_stream);
        if (route.Shard is not { } shard || !shard.TryEnter(session))
        {
            // A shard that was chosen and takes nobody has begun to drain in between.
            session.Answer(WorkerMapping.Refuse(
                session.Reference,
                route.Shard is null ? route.Refusal : RefusalCode.WrongModel,
                route.Shard is null ? route.Message : Retired(route.Shard)));
            return;
        }

        state.Sessions.Add(session);

        await AnswerAsync(open, route.Path, shard, session);
    }

    private async Task AnswerAsync(Open open, StagePath? path, Shard shard, WorkerSession session)
    {
        // The engine may fetch KV blocks first: what it holds when this is answered counts as applied. A Fence that comes meanwhile
        // gives the session another reference, and an answer of its own.
        var reference = session.Reference;
        OpenAck answer;
        try
        {
            answer = shard.Engine is { } engine
                ? WorkerMapping.ToWire(await engine.OpenAsync(WorkerMapping.ToRequest(open, path), session, CancellationToken.None), reference)
                : WorkerMapping.Refuse(reference, RefusalCode.WrongModel, Retired(shard));
        }
        catch (Exception e)
        {
            // The engine's failure is the session's: it is logged, and the router is told.
            LogOpenFailed(e, session.Id);
            answer = WorkerMapping.Refuse(reference, RefusalCode.Internal, $"The worker failed to open the session: {e.Message}");
        }

        if (answer.AnswerCase == OpenAck.AnswerOneofCase.Refused)
        {
            session.OnRefused();
        }

        session.Answer(answer);
    }

    private static bool EmitsTokens(Open open, OpenRoute route) => route.Path is null or { IsHead: true } && !open.Standby;

    private static string Retired(Shard shard) => $"Shard {shard.Id} has just been retired.";

    private async ValueTask ProbeAsync(Probe probe, CancellationToken cancellationToken)
    {
        if (await FindAsync(probe.Session, cancellationToken) is not { } session)
        {
            return;
        }

        var (generated, finished) = session.Progress;
        var reply = new ProbeReply
        {
            Session = session.Reference,
            Nonce = probe.Nonce,
            Generated = generated,
            Finished = finished,
            Steps = session.Engine?.ReadStats().Steps ?? 0,
        };
        await _stream.ReplyAsync(new WorkerMessage { ProbeReply = reply }, cancellationToken);
    }

    private async ValueTask RejoinAsync(Rejoin rejoin, CancellationToken cancellationToken)
    {
        if (await FindAsync(rejoin.Session, cancellationToken) is not { } session)
        {
            return;
        }

        if (!session.Rejoin(_stream, rejoin.Known))
        {
            await ReplyUnknownAsync(rejoin.Session, cancellationToken);
            return;
        }

        // What the router knows it need not have passed on: the run-ahead bound moves with Acknowledge only.
        session.OnAcknowledged(rejoin.Known);
        session.Engine?.RenewLease(session.Id);
    }

    /// <summary>
    /// The session that a message addresses at its present epoch and this incarnation, or null after the router has
    /// been told otherwise (rule 4: Stale, Unknown).
    /// </summary>
    private async ValueTask<WorkerSession?> FindAsync(SessionRef? reference, CancellationToken cancellationToken)
    {
        if (reference is null)
        {
            LogIgnored(router, Message.None);
            return null;
        }

        var session = reference.Incarnation == state.Incarnation ? state.Sessions.Find(reference.ToSessionId()) : null;
        var epoch = reference.ToEpoch();
        if (session is not null && epoch == session.Epoch)
        {
            return session;
        }

        if (session is not null && epoch < session.Epoch)
        {
            await ReplyStaleAsync(session, cancellationToken);
        }
        else
        {
            await ReplyUnknownAsync(reference, cancellationToken);
        }

        return null;
    }

    private ValueTask ReplyStaleAsync(WorkerSession session, CancellationToken cancellationToken) =>
        _stream.ReplyAsync(new WorkerMessage { Stale = new Stale { Session = session.Reference } }, cancellationToken);

    private ValueTask ReplyUnknownAsync(SessionRef reference, CancellationToken cancellationToken) =>
        _stream.ReplyAsync(new WorkerMessage { Unknown = new Unknown { Session = reference } }, cancellationToken);

    [LoggerMessage(1, LogLevel.Information, "Router {Router} opened its control stream")]
    private partial void LogOpened(Guid router);

    [LoggerMessage(2, LogLevel.Information, "Router {Router}'s control stream ended")]
    private partial void LogClosed(Guid router);

    [LoggerMessage(3, LogLevel.Warning, "Router {Router} sent {Message}, which was ignored")]
    private partial void LogIgnored(Guid router, Message message);

    [LoggerMessage(4, LogLevel.Error, "Session {Session} could not be opened")]
    private partial void LogOpenFailed(Exception exception, SessionId session);
}
