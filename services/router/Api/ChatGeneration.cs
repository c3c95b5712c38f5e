using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Parallax.Audit.Events;
using Parallax.Audit.Log;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Admission;
using Parallax.Router.Api.Ids;
using Parallax.Router.Auditing;
using Parallax.Router.Generation;
using Parallax.Router.Observability;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Api;

/// <summary>A chat completion from what is asked for to its last byte.</summary>
internal sealed partial class ChatGeneration(
    RouterModel model,
    WorkerDirectory workers,
    AdmissionGate gate,
    IAuditLog audits,
    PreviousSegments previous,
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
        var created = call.Resumed?.Stamp.CreatedAt ?? DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds()); // as the stamp keeps it
        var prompt = model.Prompts.Encode(call.Request.Messages, created);
        var sampling = GenerationPlan.ToSampling(call.Request, prompt.Length, model.Defaults, offer, call.Claim.Seed(call.Id));
        var plan = new SessionPlan(model.Id, prompt, sampling, call.Client, call.Salt, Deadline: 0);
        var known = await FindKnownAsync(call, plan, output.Aborted);
        var open = call.OpenChoices.Where(choice => !known[choice].IsComplete).ToImmutableArray();

        // 2. Its tokens, and its turn, unless nothing is left to generate.
        using var tokensAside = call.Allowance?.Reserve(MostTokens(call, prompt.Length, sampling.MaxTokens));
        using var turn = open.IsEmpty ? null : await gate.EnterAsync(open.Length, output.Aborted);
        using var reserved = open.IsEmpty ? null : await ReserveAsync(call, open.Length, prompt, sampling.MaxTokens, output.Aborted);
        var numerics = reserved?.Path.Offer.NumericClass ?? ClassOf(call.Resumed!);
        var run = call.Resumed?.Stamp.Run ?? RandomNumberGenerator.GetInt32(AnswerStamp.Runs);
        var stamp = AnswerStamp.Of(created, numerics, prompt.AsSpan(), sampling, run);
        var id = call.Id.ToString();
        var started = clock.GetTimestamp();
        using var span = RouterTracing.Begin(id, plan, call.Request.Choices);
        plan = plan with
        {
            Deadline = started + (long)(options.RequestTime.TotalSeconds * clock.TimestampFrequency),
            TraceParent = span?.Id ?? "",
        };
        var audit = audits.Open(id, call.Resumed is null ? null : await previous.FindAsync(id, output.Aborted), call.Resumed?.ToString());
        if (reserved?.Path is { } path)
        {
            LogAccepted(id, prompt.Length, open.Length, sampling.Seed, path, path.Reason, path.Cost);
        }

        if (call.Resumed is not null)
        {
            var from = string.Join(',', call.From);
            LogResumed(id, from, string.Join(',', known.Select(static each => each.Ids.Length)));
        }

        // 3. The answer.
        using var deadline = new CancellationTokenSource(options.RequestTime + DeadlineGrace, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(output.Aborted, stopping.Cancelling, deadline.Token);
        var sessions = new List<RemoteSession>(open.Length);
        var outcome = "failed";
        AuditEvent? end = null;
        try
        {
            await audit.AppendAsync(AcceptedRecord.Of(call, plan, numerics, audits.Contents));
            var answer = new Answer(
                call.Request,
                new AnswerFormat(id, stamp, model.Id, numerics.Fingerprint, model.Tokenizer, call.Request.TopLogProbs is not null),
                prompt.Length,
                [.. call.OpenChoices.Select(choice => Read(call, choice, known[choice], Open(reserved, plan, call, stamp, choice, known[choice], sessions, audit, span), audit))])
            {
                From = call.From,
                IsUsageSent = call.Resumed?.IsUsageSent ?? false,
            };
            await AcceptedAsync(sessions, call.Request.Stream, ending.Token);
            CountCached(reserved, sessions);
            var tokens = call.Request.Stream
                ? await writer.StreamAsync(output, answer, Explain, ending)
                : await writer.WriteAsync(output, answer, ending);
            outcome = "completed";
            var usage = answer.Usage();
            end = new RequestCompleted(
                usage.PromptTokens, usage.PromptTokensDetails.CachedTokens, usage.CompletionTokens, Milliseconds(audit.FirstToken ?? TimeSpan.Zero), Milliseconds(clock.GetElapsedTime(started)));
            LogCompleted(id, tokens, clock.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception) when (output.Aborted.IsCancellationRequested)
        {
            outcome = "disconnected";
            end = new RequestCancelled(audit.TokenCount);
            LogDisconnected(id);
        }
        catch (AnswerFailedException e)
        {
            end = ToFailure(e.InnerException!);
            LogFailed(id, e.Message);
        }
        catch (Exception e)
        {
            end = ToFailure(e);
            if (e is OperationCanceledException)
            {
                throw Explain(e);
            }

            throw;
        }
        finally
        {
            sessions.ForEach(static session => session.Dispose());
            RouterTracing.End(span, outcome, audit.TokenCount);
            tokensAside?.Settle(PromptTokens(call, prompt.Length) + audit.TokenCount);
            instruments.OnRequestEnded(outcome, clock.GetElapsedTime(started).TotalSeconds);
            _ = audit.EndAsync(end!); // nothing is shown for it, and what cannot be written now is written later
        }

        return outcome == "completed";

        RequestFailed ToFailure(Exception e)
        {
            var error = ErrorTranslator.Describe(options, Explain(e));
            return new RequestFailed(error.Status, error.Code ?? error.Type, error.Message, audit.TokenCount);
        }

        Exception Explain(Exception e) => e switch
        {
            OperationCanceledException when stopping.Cancelling.IsCancellationRequested => ApiException.Unavailable("The server is stopping."),
            OperationCanceledException when deadline.IsCancellationRequested => ApiException.Deadline(),
            _ => e,
        };
    }

    /// <summary>
    /// What is known of each choice's answer: nothing for a new request; for one that is taken up, what a head still holds.
    /// </summary>
    private async Task<KnownAnswer[]> FindKnownAsync(ChatCall call, SessionPlan plan, CancellationToken cancellationToken)
    {
        var known = new KnownAnswer[call.Request.Choices];
        Array.Fill(known, KnownAnswer.None);
        if (call.Resumed is not { } resumed)
        {
            return known;
        }

        var numerics = ClassOf(resumed);
        var stamp = AnswerStamp.Of(resumed.Stamp.CreatedAt, numerics, plan.Prompt.AsSpan(), plan.Sampling, resumed.Stamp.Run);
        ResumePoint.RequireSame(resumed.Stamp, stamp, numerics.Fingerprint);
        var age = clock.GetUtcNow() - stamp.CreatedAt;
        await Task.WhenAll(call.OpenChoices.Select(async choice =>
        {
            var own = plan with { Sampling = plan.Sampling with { ChoiceIndex = choice } };
            var held = await workers.AttachAsync(call.Claim.Session(call.Id, stamp.Run, choice), own, numerics, cancellationToken);
            known[choice] = KnownAnswer.Of(held, call.From[choice], own.Sampling, numerics, age);
        }));
        return known;
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
        var present = workers.Classes(model.Id);
        return present.FirstOrDefault(numerics => AnswerStamp.CheckOf(numerics) == resumed.Stamp.ClassCheck)
            ?? throw ResumePoint.OtherClass(string.Join(", ", present.Select(static numerics => numerics.Fingerprint).Order(StringComparer.Ordinal)));
    }

    /// <summary>A path with places for the request's sessions. It waits for room as long as a request may wait for its turn.</summary>
    private async Task<ReservedPath> ReserveAsync(ChatCall call, int sessions, ImmutableArray<int> prompt, int maxTokens, CancellationToken aborted)
    {
        ThrowIfStopped();
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping.Cancelling);
        try
        {
            var request = new PathRequest
            {
                Sessions = sessions,
                PromptTokens = prompt.Length,
                Prefix = new PromptPrefix(prompt, call.Salt),
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

        if (audits.Fault is { } fault)
        {
            throw ApiException.Unavailable(fault);
        }
    }

    /// <summary>A session for what is not known of a choice; null when all is.</summary>
    private RemoteSession? Open(
        ReservedPath? reserved, SessionPlan plan, ChatCall call, AnswerStamp stamp, int choice, KnownAnswer known, List<RemoteSession> sessions, IAuditSegment audit, Activity? span)
    {
        if (known.IsComplete)
        {
            return null;
        }

        // A session that has run ahead would go on from where it is, without the log-probabilities of what lies between.
        var isAnew = call.Resumed is not null && call.Request.TopLogProbs is not null;
        var own = plan with { Sampling = plan.Sampling with { ChoiceIndex = choice }, Answer = known.Ids };
        var session = workers.Open(reserved!, own, isAnew ? SessionId.New() : call.Claim.Session(call.Id, stamp.Run, choice), known.Term, new SessionAudit(audit, choice, span, instruments));
        sessions.Add(session);
        return session;
    }

    private AnswerReader Read(ChatCall call, int choice, KnownAnswer known, RemoteSession? session, IAuditSegment audit) => new(
        known,
        session is null ? null : new RemoteAnswer(session),
        model.CreateDecoder(call.Request.Stop),
        call.Request.IgnoreEos ? FrozenSet<int>.Empty : model.EosTokenIds,
        audit,
        choice,
        call.From[choice]);

    /// <summary>
    /// Waits until the answer can begin: all sessions are accepted, or, where the client can be told so in the stream, one
    /// waits for a worker.
    /// </summary>
    private static async Task AcceptedAsync(List<RemoteSession> sessions, bool isStream, CancellationToken cancellationToken)
    {
        foreach (var session in sessions)
        {
            while (!session.Accepted.IsCompleted)
            {
                var changed = session.WaitingChanged;
                if (isStream && session.Waiting is not null)
                {
                    return;
                }

                await Task.WhenAny(session.Accepted, changed).WaitAsync(cancellationToken);
            }

            if (session.Result is { IsCompleted: true } ended && await ended is SessionResult.Refused or SessionResult.Lost)
            {
                throw SessionErrors.ToApi(await session.Result);
            }
        }
    }

    /// <summary>How much of the prompt was expected to be cached, and how much was.</summary>
    private void CountCached(ReservedPath? reserved, List<RemoteSession> sessions)
    {
        foreach (var session in sessions.Where(static session => session.Accepted.IsCompleted))
        {
            instruments.OnPrefix(reserved!.Path.CachedTokens, session.CachedTokens);
        }
    }

    /// <summary>What a request may use of its key's quota: all that can be shown for it.</summary>
    private static long MostTokens(ChatCall call, int promptTokens, int maxTokens) =>
        PromptTokens(call, promptTokens) + ((long)call.OpenChoices.Length * maxTokens);

    /// <summary>Tokens of the prompt that count: those of an answer that is resumed were counted when it began.</summary>
    private static long PromptTokens(ChatCall call, int promptTokens) => call.Resumed is null ? promptTokens : 0;

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);

    [LoggerMessage(50, LogLevel.Information, "{Request}: {PromptTokens} prompt tokens, {Choices} choices, seed {Seed}, on {Path} ({Reason}; {Cost})")]
    private partial void LogAccepted(string request, int promptTokens, int choices, ulong seed, WorkerPath path, PathReason reason, PathCost cost);

    [LoggerMessage(51, LogLevel.Information, "{Request}: {Tokens} tokens in {Seconds:0.000} s")]
    private partial void LogCompleted(string request, int tokens, double seconds);

    [LoggerMessage(53, LogLevel.Warning, "{Request}: failed in mid-stream: {Problem}")]
    private partial void LogFailed(string request, string problem);

    [LoggerMessage(52, LogLevel.Information, "{Request}: the client went away")]
    private partial void LogDisconnected(string request);

    [LoggerMessage(54, LogLevel.Information, "{Request}: resumed after {From}; {Known} tokens are known")]
    private partial void LogResumed(string request, string from, string known);
}
