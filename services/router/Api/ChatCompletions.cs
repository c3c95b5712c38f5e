using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Parallax.Router.Admission;
using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;
using Parallax.Router.Observability;
using Parallax.Router.RequestLog;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;

namespace Parallax.Router.Api;

/// <summary><c>POST /v1/chat/completions</c>: one request from its body to its last byte.</summary>
internal sealed partial class ChatCompletions(
    RouterModel model,
    WorkerDirectory workers,
    AdmissionGate gate,
    IRequestLog log,
    RouterOptions options,
    RouterStopping stopping,
    RouterInstruments instruments,
    TimeProvider clock,
    ILogger<ChatCompletions> logger)
{
    // The worker ends a session at its deadline; the router waits a little longer for it to say so.
    private static readonly TimeSpan DeadlineGrace = TimeSpan.FromSeconds(5);

    public async Task HandleAsync(HttpContext http, AnswerWriter writer)
    {
        // 1. What is asked for, and whether it can be done here.
        var request = ChatRequestParser.Parse(await ReadBodyAsync(http));
        if (request.Model != model.Id)
        {
            throw ApiException.UnknownModel(request.Model);
        }

        var offer = FindOffer();
        var prompt = model.Prompts.Encode(request.Messages);
        var sampling = GenerationPlan.ToSampling(request, prompt.Length, model.Defaults, offer, DrawSeed());

        // 2. Its turn.
        using var turn = await gate.EnterAsync(request.Choices, http.RequestAborted);
        var id = $"chatcmpl-{Guid.NewGuid():n}";
        http.Response.Headers["x-request-id"] = id;
        using var reserved = await ReserveAsync(request.Choices, prompt.Length, sampling.MaxTokens, http.RequestAborted);
        var path = reserved.Path;
        var fingerprint = path.Offer.NumericClass.Fingerprint;
        var started = clock.GetTimestamp();
        var plan = new SessionPlan(
            model.Id,
            prompt,
            sampling,
            ClientOf(http, request),
            request.CacheSalt,
            started + (long)(options.RequestTime.TotalSeconds * clock.TimestampFrequency));
        await RequestRecords.AcceptedAsync(log, UnixMs(), id, plan, request.Choices, fingerprint);
        LogAccepted(id, prompt.Length, request.Choices, sampling.Seed, path, path.Reason, path.Cost);

        // 3. The answer.
        using var deadline = new CancellationTokenSource(options.RequestTime + DeadlineGrace, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping.Cancelling, deadline.Token);
        var sessions = new List<RemoteSession>(request.Choices);
        var outcome = "failed";
        try
        {
            var answer = new Answer(
                request,
                new AnswerFormat(id, clock.GetUtcNow().ToUnixTimeSeconds(), model.Id, fingerprint, model.Tokenizer, request.TopLogProbs is not null),
                prompt.Length,
                OpenSessions(reserved, plan, request, id, sessions));
            await AcceptedAsync(sessions, ending.Token);
            var tokens = request.Stream
                ? await writer.StreamAsync(http, answer, Explain, ending)
                : await writer.WriteAsync(http, answer, ending);
            outcome = "completed";
            LogCompleted(id, tokens, clock.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            outcome = "disconnected";
            LogDisconnected(id);
        }
        catch (AnswerFailedException e)
        {
            LogFailed(id, e.Message);
        }
        catch (OperationCanceledException e)
        {
            throw Explain(e);
        }
        finally
        {
            sessions.ForEach(static session => session.Dispose());
            instruments.OnRequestEnded(outcome, clock.GetElapsedTime(started).TotalSeconds);
            if (outcome != "completed" && log.Fault is null)
            {
                await RequestRecords.EndedAsync(log, UnixMs(), id, outcome, "");
            }
        }

        Exception Explain(Exception e) => e switch
        {
            OperationCanceledException when stopping.Cancelling.IsCancellationRequested => ApiException.Unavailable("The server is stopping."),
            OperationCanceledException when deadline.IsCancellationRequested => ApiException.Deadline(),
            _ => e,
        };
    }

    private static ulong DrawSeed()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private static string ClientOf(HttpContext http, ChatRequest request) => $"{http.Connection.RemoteIpAddress}/{request.User}";

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext http)
    {
        if (http.Request.ContentType is { Length: > 0 } type && !http.Request.HasJsonContentType())
        {
            throw ApiException.NotJson(type);
        }

        var body = new ArrayBufferWriter<byte>((int)Math.Clamp(http.Request.ContentLength ?? 0, 1024, 64 * 1024));
        while (true)
        {
            var read = await http.Request.BodyReader.ReadAsync(http.RequestAborted);
            foreach (var part in read.Buffer)
            {
                body.Write(part.Span);
            }

            http.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return body.WrittenMemory;
            }
        }
    }

    /// <summary>What the model's workers could serve, or why nothing can be served now.</summary>
    private PathOffer FindOffer()
    {
        ThrowIfStopped();
        return workers.Offer(model.Id) ?? throw NoWorker(workers.Problem(model.Id));
    }

    /// <summary>A path with places for the request's sessions. It waits for room as long as a request may wait for its turn.</summary>
    private async Task<ReservedPath> ReserveAsync(int sessions, int promptTokens, int maxTokens, CancellationToken aborted)
    {
        ThrowIfStopped();
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping.Cancelling);
        try
        {
            var request = new PathRequest { Sessions = sessions, PromptTokens = promptTokens, MaxTokens = maxTokens };
            return await workers.ReserveAsync(model.Id, request, options.QueueTime, giveUp.Token);
        }
        catch (NoPathException e)
        {
            throw e.IsFull ? ApiException.Busy(e.Message, TimeSpan.FromSeconds(1)) : NoWorker(e.Message);
        }
        catch (OperationCanceledException) when (stopping.Cancelling.IsCancellationRequested)
        {
            throw ApiException.Unavailable("The server is stopping.");
        }
    }

    private static ApiException NoWorker(string problem) => ApiException.Unavailable($"No worker serves the model now. {problem}");

    private void ThrowIfStopped()
    {
        if (stopping.IsStopping)
        {
            throw ApiException.Unavailable("The server is stopping.");
        }

        if (log.Fault is { } fault)
        {
            throw ApiException.Unavailable(fault);
        }
    }

    private AnswerReader[] OpenSessions(ReservedPath reserved, SessionPlan plan, ChatRequest request, string id, List<RemoteSession> sessions)
    {
        var readers = new AnswerReader[request.Choices];
        for (var choice = 0; choice < readers.Length; choice++)
        {
            var session = workers.Open(reserved, plan with { Sampling = plan.Sampling with { ChoiceIndex = choice } });
            sessions.Add(session);
            readers[choice] = new AnswerReader(
                session,
                model.CreateDecoder(request.Stop),
                request.IgnoreEos ? FrozenSet<int>.Empty : model.EosTokenIds,
                log,
                clock,
                id,
                choice);
        }

        return readers;
    }

    private static async Task AcceptedAsync(List<RemoteSession> sessions, CancellationToken cancellationToken)
    {
        foreach (var session in sessions)
        {
            await session.Accepted.WaitAsync(cancellationToken);
            if (session.Result is { IsCompleted: true } ended && await ended is SessionResult.Refused or SessionResult.Lost)
            {
                throw SessionErrors.ToApi(await session.Result);
            }
        }
    }

    private long UnixMs() => clock.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(50, LogLevel.Information, "{Request}: {PromptTokens} prompt tokens, {Choices} choices, seed {Seed}, on {Path} ({Reason}; {Cost})")]
    private partial void LogAccepted(string request, int promptTokens, int choices, ulong seed, WorkerPath path, PathReason reason, PathCost cost);

    [LoggerMessage(51, LogLevel.Information, "{Request}: {Tokens} tokens in {Seconds:0.000} s")]
    private partial void LogCompleted(string request, int tokens, double seconds);

    [LoggerMessage(53, LogLevel.Warning, "{Request}: failed in mid-stream: {Problem}")]
    private partial void LogFailed(string request, string problem);

    [LoggerMessage(52, LogLevel.Information, "{Request}: the client went away")]
    private partial void LogDisconnected(string request);
}
