using System.CommandLine;
using System.Globalization;
using Parallax.Cli.Audit.Replay;
using Parallax.Cli.Run;
using Parallax.Cli.Terminal;
using Parallax.EventStore;
using Parallax.Hosting;
using Parallax.Router;
using Parallax.Router.Auditing;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit replay</c>.</summary>
internal static class ReplayCommand
{
    private const int MaxFile = 64 << 20;

    public static Command Create(SourceOptions sources)
    {
        var id = new Argument<string>("id") { Description = "The request's id." };
        var model = SharedOptions.Model();
        var workers = new Option<int?>("--workers") { Description = "Workers of this process that the model is cut over. Default: another number than the request had.", HelpName = "count" };
        workers.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 64)
            {
                result.AddError("--workers: 1 to 64.");
            }
        });
        var threads = SharedOptions.Threads();
        var body = new Option<FileInfo?>("--body") { Description = "The request's body as the client sent it, where the audit keeps hashes.", HelpName = "file" };
        var hashKey = new Option<FileInfo?>("--hash-key") { Description = "The key of the hashes: hash.key in the folder of the router's audit log.", HelpName = "file" };
        var command = new ExplainedCommand(
            "replay",
            "Generates a request's answer again on this machine, over another cut of the model and without caches, and compares it token by token.",
            """
            Exit codes: 0 the same tokens, 1 others (the first difference is printed), or it could not be replayed.
            What must agree is checked first: the weights' hash and the numeric class.
            """)
        {
            id, model, workers, threads, body, hashKey,
        };
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            var request = parsed.GetRequiredValue(id);
            List<StoredEvent> events = [];
            await foreach (var stored in source.EventsAsync(request, stop))
            {
                events.Add(stored);
            }

            var recorded = events.Count == 0 ? throw ShowCommand.Unknown(request) : RecordedRequest.Of(events);
            var path = await HubModel.ResolveAsync(parsed.GetValue(model), Console.Error, stop);
            return await RunAsync(
                recorded, path, parsed.GetValue(workers), parsed.GetValue(threads), Read(parsed.GetValue(body)), Read(parsed.GetValue(hashKey)) ?? ReadOnlyMemory<byte>.Empty, stop);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        RecordedRequest recorded, string path, int? workers, int? threads, ReadOnlyMemory<byte>? body, ReadOnlyMemory<byte> hashKey, CancellationToken stop)
    {
        var accepted = recorded.Accepted;
        var layers = RequireSameModel(accepted.Weights, path);
        var residual = RequireReplayable(recorded, workers);
        var router = RouterModel.Load(path);
        var prompt = ReplayPrompt.Of(recorded, router, body, hashKey.Span);
        var settings = new RunSettings
        {
            Model = path,
            Workers = workers ?? (recorded.Stages == 2 ? Math.Min(3, layers) : Math.Min(2, layers)),
            Context = prompt.Length + recorded.LongestChoice + 1,
            Threads = threads,
            Residual = residual,
        };
        await using var ring = await ReplayRing.StartAsync(settings, router.Id, new LoadDisplay(Console.Error, Console.IsErrorRedirected), stop);
        if (AcceptedRecord.NameOf(ring.NumericClass) != accepted.NumericClass)
        {
            throw new AuditCommandException($"The request's numeric class is {recorded.Class}; this program computes in {AcceptedRecord.NameOf(ring.NumericClass)} ({ring.NumericClass.Fingerprint}): replay it with a program of that class.");
        }

        var differences = 0;
        var compared = 0;
        foreach (var choice in recorded.Choices)
        {
            var sampling = recorded.SamplingOf(choice);
            var (tokens, reason) = await ring.GenerateAsync(router.Id, prompt, sampling, static _ => { }, stop);
            var shown = recorded.Emitted.Where(one => one.Tokens.Choice == choice).Max(static one => one.Tokens.First + one.Tokens.Count);
            var difference = ReplayComparison.Difference(recorded, choice, tokens, accepted.HashKey is null ? [] : hashKey.Span) ?? EndDifference(recorded, choice, shown, tokens.Length, reason);
            compared += shown;
            if (difference is not null)
            {
                differences++;
                Console.Out.WriteLine($"differs: {difference}");
            }
        }

        var cut = string.Create(CultureInfo.InvariantCulture, $"{compared} tokens over {ring.Stages} worker{(ring.Stages == 1 ? "" : "s")} (the request had {(recorded.Stages == 0 ? "no path of its own" : $"a path of {recorded.Stages}")}), class {ring.NumericClass.Fingerprint}, without caches");
        Console.Out.WriteLine(differences == 0 ? $"The same: {cut}." : $"Not the same: {cut}.");
        return differences == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Whether the answer ends where it ended, where the model ended it: a stop string, which the router finds, is not the model's end.</summary>
    private static string? EndDifference(RecordedRequest recorded, int choice, int shown, int replayed, FinishReason reason) =>
        recorded.Completed.TryGetValue(choice, out var completed) && completed.Reason == "stop" && recorded.Accepted.Stop is { IsEmpty: true } && replayed > shown
            ? string.Create(CultureInfo.InvariantCulture, $"choice {choice}, token {shown}: the recorded answer had ended, and the replay goes on ({reason})")
            : null;

    private static int RequireSameModel(string weights, string path)
    {
        using var source = ModelSource.Open(path);
        return source.WeightsHash == weights
            ? source.Spec.Layers.Length
            : throw new AuditCommandException($"The request was answered by a model whose weights have the hash {weights}; those of '{path}' have {source.WeightsHash}: name the same model with --model.");
    }

    private static ResidualPrecision RequireReplayable(RecordedRequest recorded, int? workers)
    {
        var parts = recorded.Accepted.NumericClass.Split('/');
        if (parts is not [_, _, var residual, var links] || !Enum.TryParse<ResidualPrecision>(residual, out var precision))
        {
            throw new AuditCommandException($"The request's numeric class '{recorded.Accepted.NumericClass}' is unknown to this program: use the version that wrote it, or a newer one.");
        }

        return links == nameof(LinkPrecision.Exact) || (workers is 1 && recorded.Stages == 1)
            ? precision
            : throw new AuditCommandException("The request ran with --link-precision q8, whose answers depend on how the model is cut: it cannot be replayed.");
    }

    private static ReadOnlyMemory<byte>? Read(FileInfo? file)
    {
        try
        {
            return file is null ? null
                : file.Length <= MaxFile ? File.ReadAllBytes(file.FullName)
                : throw new AuditCommandException($"'{file}' has {file.Length} bytes, more than a request can have.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new AuditCommandException($"'{file}' cannot be read: {problem.Message}", problem);
        }
    }
}
