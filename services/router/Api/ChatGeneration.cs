using System.Collections.Frozen;
using System.Collections.Immutable;
using Parallax.Router.Admission;
using Parallax.Router.Api.Ids;
using Parallax.Router.Generation;
using Parallax.Router.Observability;
using Parallax.Router.RequestLog;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Router.Api;

/// <summary>A chat completion from what is asked for to its last byte.</summary>
internal sealed partial class ChatGeneration(
    RouterModel model,
    WorkerDirectory workers,
    AdmissionGate gate,
    IRequestLog log,
    RouterOptions options,
    RouterStopping stopping,
    RouterInstruments instruments,
    AnswerWriter writer,
    TimeProvider clock,
    ILogger<ChatGeneration> logger)
{
    // The worker ends a session at its deadline; the router waits a little longer for it to say so.
    private static readonly TimeSpan DeadlineGrace = TimeSpan.FromSeconds(5);

    /// <summary>Generates the answer, or what its client lacks of it, and writes it.</summary>
    /// <returns>Whether it was written whole.</returns>
    /// <exception cref="ApiException">It cannot be had; nothing was written.</exception>
    public async Task<bool> RunAsync(ChatCall call, IAnswerOutput output)
    {
        // 1. Whether it can be done here.
        var offer = FindOffer();
        var created = call.Resumed?.Stamp.CreatedAt ?? clock.GetUtcNow();
        var prompt = model.Prompts.Encode(call.Request.Messages, created);
        var sampling = GenerationPlan.ToSampling(call.Request, prompt.Length, model.Defaults, offer, call.Claim.Seed(call.Id));
        var open = call.OpenChoices;
        if (open.IsEmpty)
        {
            return await CloseAsync(call, output, created, prompt, sampling);
        }

        // 2. Its turn.
        using var turn = await gate.EnterAsync(open.Length, output.Aborted);
        using var reserved = await ReserveAsync(call, open.Length, prompt.Length, sampling.MaxTokens, output.Aborted);
        var path = reserved.Path;
        var fingerprint = path.Offer.NumericClass.Fingerprint;
        var stamp = AnswerStamp.Of(created, path.Offer.NumericClass, prompt.AsSpan(), sampling);
        if (call.Resumed is { } resumed)
        {
            ResumePoint.RequireSame(resumed.Stamp, stamp, fingerprint);
        }

        var id = call.Id.ToString();
        var started = clock.GetTimestamp();
        var plan = new SessionPlan(
            model.Id,
            prompt,
            sampling,
            call.Client,
            call.Request.CacheSalt,
            started + (long)(options.RequestTime.TotalSeconds * clock.TimestampFrequency));
        await RequestRecords.AcceptedAsync(log, UnixMs(), id, plan, call.Request.Choices, fingerprint);
        LogAccepted(id, prompt.Length, open.Length, sampling.Seed, path, path.Reason, path.Cost);
        if (call.Resumed is not null)
        {
            var from = string.Join(',', call.From);
            await RequestRecords.ResumedAsync(log, UnixMs(), id, from);
            LogResumed(id, from);
        }

        // 3. The answer.
        using var deadline = new CancellationTokenSource(options.RequestTime + DeadlineGrace, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(output.Aborted, stopping.Cancelling, deadline.Token);
        var sessions = new List<RemoteSession>(open.Length);
        var outcome = "failed";
        try
        {
            var answer = new Answer(
                call.Request,
                new AnswerFormat(id, stamp, model.Id, fingerprint, model.Tokenizer, call.Request.TopLogProbs is not null),
                prompt.Length,
                OpenSessions(reserved, plan, call, open, sessions))
            {
                From = call.From,
                IsUsageSent = call.Resumed?.IsUsageSent ?? false,
            };
            await AcceptedAsync(sessions, ending.Token);
            var tokens = call.Request.Stream
                ? await writer.StreamAsync(output, answer, Explain, ending)
                : await writer.WriteAsync(output, answer, ending);
            outcome = "completed";
            LogCompleted(id, tokens, clock.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception) when (output.Aborted.IsCancellationRequested)
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

        return outcome == "completed";

        Exception Explain(Exception e) => e switch
        {
            OperationCanceledException when stopping.Cancelling.IsCancellationRequested => ApiException.Unavailable("The server is stopping."),
            OperationCanceledException when deadline.IsCancellationRequested => ApiException.Deadline(),
            _ => e,
        };
    }

    /// <summary>Sends the end of a stream whose client has all choices: no tokens are missing, so nothing is generated.</summary>
    private async Task<bool> CloseAsync(
        ChatCall call, IAnswerOutput output, DateTimeOffset created, ImmutableArray<int> prompt, SamplingParameters sampling)
    {
        var resumed = call.Resumed!;
        var numerics = ClassOf(resumed);
        var stamp = AnswerStamp.Of(created, numerics, prompt.AsSpan(), sampling);
        ResumePoint.RequireSame(resumed.Stamp, stamp, numerics.Fingerprint);
        var id = call.Id.ToString();
        var format = new AnswerFormat(id, stamp, model.Id, numerics.Fingerprint, model.Tokenizer, call.Request.TopLogProbs is not null);
        var answer = new Answer(call.Request, format, prompt.Length, []) { From = call.From, IsUsageSent = resumed.IsUsageSent };
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(output.Aborted);
        LogResumed(id, string.Join(',', call.From));
        await writer.StreamAsync(output, answer, static e => e, ending);
        return true;
    }

    /// <summary>What the model's workers could serve, or why nothing can be served now.</summary>
    private PathOffer FindOffer()
    {
        ThrowIfStopped();
        return workers.Offer(model.Id) ?? throw NoWorker(workers.Problem(model.Id));
    }

    /// <summary>The class that an answer was begun in.</summary>
    /// <exception cref="ApiException">No worker computes in it now.</exception>
    private NumericClass ClassOf(AnswerEventId resumed)
    {
        var present = workers.Links
            .SelectMany(static link => link.Offer?.Shards ?? [])
            .Where(shard => shard.Model == model.Id)
            .Select(static shard => shard.NumericClass)
            .Distinct()
            .ToList();
        return present.Find(numerics => AnswerStamp.CheckOf(numerics) == resumed.Stamp.ClassCheck)
            ?? throw ResumePoint.OtherClass(string.Join(", ", present.Select(static numerics => numerics.Fingerprint).Order(StringComparer.Ordinal)));
    }

    /// <summary>A path with places for the request's sessions. It waits for room as long as a request may wait for its turn.</summary>
    private async Task<ReservedPath> ReserveAsync(ChatCall call, int sessions, int promptTokens, int maxTokens, CancellationToken aborted)
    {
        ThrowIfStopped();
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping.Cancelling);
        try
        {
            var request = new PathRequest
            {
                Sessions = sessions,
                PromptTokens = promptTokens,
                MaxTokens = maxTokens,
                NumericClass = call.Resumed is { } resumed ? ClassOf(resumed) : null,
            };
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

    private AnswerReader[] OpenSessions(
        ReservedPath reserved, SessionPlan plan, ChatCall call, ImmutableArray<int> choices, List<RemoteSession> sessions)
    {
        var readers = new AnswerReader[choices.Length];
        for (var i = 0; i < readers.Length; i++)
        {
            var choice = choices[i];
            var session = workers.Open(reserved, plan with { Sampling = plan.Sampling with { ChoiceIndex = choice } });
            sessions.Add(session);
            readers[i] = new AnswerReader(
                new RemoteAnswer(session),
                model.CreateDecoder(call.Request.Stop),
                call.Request.IgnoreEos ? FrozenSet<int>.Empty : model.EosTokenIds,
                log,
                clock,
                call.Id.ToString(),
                choice,
                call.From[choice]);
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

    [LoggerMessage(54, LogLevel.Information, "{Request}: resumed after {From}")]
    private partial void LogResumed(string request, string from);
}
