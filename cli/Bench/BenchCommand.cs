using System.CommandLine;
using System.Globalization;
using Parallax.Cli.Bench.Peer;
using Parallax.Hosting;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Cli.Bench;

/// <summary><c>parallax bench</c>.</summary>
internal static class BenchCommand
{
    private const string LlamaCpp = "llama.cpp";

    public static Command Create()
    {
        var model = SharedOptions.Model();
        var threads = SharedOptions.Threads();
        var residual = SharedOptions.Residual();
        var peer = new Option<string?>("--peer") { Description = "Measure llama.cpp too, in turns with ours, same file, same threads. Needs node, npm and a .gguf model.", HelpName = LlamaCpp };
        peer.AcceptOnlyFromAmong(LlamaCpp);
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of a table." };
        var quick = new Option<bool>("--quick") { Description = "Fewer tokens and repetitions: a look, not a figure to report." };
        var command = new ExplainedCommand(
            "bench",
            "Measure the engine on this machine: prefill of 512 tokens, decoding of 128, throughput of 1, 4, 8 and 16 sessions at once, loading time, memory. Nothing else should run meanwhile.",
            """
            Examples:
              parallax bench --quick
              parallax bench --model SmolLM2-135M-Instruct.Q4_1.gguf --threads 2 --peer llama.cpp
            """)
        {
            model, threads, residual, peer, json, quick,
        };
        command.SetAction(async (parsed, _) =>
        {
            var path = ModelLocation.Resolve(parsed.GetValue(model));
            var count = parsed.GetValue(threads) ?? Environment.ProcessorCount;
            List<string> errors = [];
            if (count is < 1 or > 1024)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"--threads: {count} is out of range; use 1 to 1024."));
            }

            if (parsed.GetValue(peer) is not null && !(File.Exists(path) && path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)))
            {
                errors.Add($"--peer {LlamaCpp}: '{path}' is no .gguf file, and llama.cpp reads no other; name one with --model.");
            }

            OptionsException.ThrowIfAny(errors);
            using var signals = new StopSignals();
            try
            {
                var report = await RunAsync(
                    path,
                    count,
                    parsed.GetValue(residual) == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                    parsed.GetValue(quick) ? BenchPlan.Quick : BenchPlan.Full,
                    parsed.GetValue(peer) is not null,
                    signals.Asked);
                Console.Out.Write(parsed.GetValue(json) ? report.ToJson() : report.ToText());
                return ExitCode.Ok;
            }
            catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
            {
                Console.Error.WriteLine("Interrupted; nothing is reported.");
                return Interruption.ExitCode;
            }
        });
        return command;
    }

    private static async Task<BenchReport> RunAsync(
        string path, int threads, ResidualPrecision residual, BenchPlan wanted, bool withPeer, CancellationToken cancellationToken)
    {
        string name;
        int vocabulary;
        BenchPlan plan;
        using (var source = ModelSource.Open(path))
        {
            name = source.DisplayName;
            vocabulary = source.Spec.VocabularySize;
            plan = wanted.Within(source.Spec.MaxPositions - 1);
        }

        if (plan != wanted)
        {
            Console.Error.WriteLine("The model's context is short: fewer tokens are measured.");
        }

        var warning = Machine.Busyness();
        if (warning is not null)
        {
            Progress($"WARNING: {warning}");
        }

        var installation = withPeer ? await PeerInstallation.PrepareAsync(Progress, cancellationToken) : null;
        await using var ours = await Task.Run(
            () => EngineSubject.Load(EngineOptions(path, threads, residual, plan), TimeProvider.System, cancellationToken), cancellationToken);
        var runner = new BenchRunner(plan, vocabulary, Progress);
        var results = installation is null
            ? await runner.RunAsync([ours], cancellationToken)
            : await WithPeerAsync(runner, ours, installation, path, threads, cancellationToken);
        return new BenchReport(name, Machine.Describe(), TimeProvider.System.GetUtcNow(), threads, plan, results) { Warning = warning };
    }

    private static async Task<IReadOnlyList<SubjectResults>> WithPeerAsync(
        BenchRunner runner, EngineSubject ours, PeerInstallation installation, string path, int threads, CancellationToken cancellationToken)
    {
        // Each turn leaves out one CPU variant; there are fewer of them than this.
        const int mostTurns = 4;
        for (var turn = 1; ; turn++)
        {
            var variant = "sapphirerapids"; // the one that is known to die before it can say its name
            try
            {
                await using var peer = await PeerSubject.LoadAsync(installation, path, threads, cancellationToken);
                variant = peer.Variant.Length > 0 ? peer.Variant : variant;
                return await runner.RunAsync([ours, peer], cancellationToken);
            }
            catch (PeerException e) when (e.IsIllegalInstruction && turn < mostTurns)
            {
                Progress($"llama.cpp died of an illegal instruction in its CPU variant {variant}; beginning again without it");
                installation = await installation.WithoutAsync(variant, cancellationToken);
            }
        }
    }

    private static LocalEngineOptions EngineOptions(string path, int threads, ResidualPrecision residual, BenchPlan plan) => new()
    {
        ModelPath = path,
        Threads = threads,
        Residual = residual,
        ContextLimit = plan.LongestSession + 1,
        KvTokens = plan.KvTokens + 16,
        Executor = new ExecutorOptions
        {
            MaxBatch = Math.Max(new ExecutorOptions().MaxBatch, plan.BatchSizes.Max()),
            LeaseTime = TimeSpan.FromHours(1), // nobody renews here
        },
    };

    private static void Progress(string what) => Console.Error.WriteLine($"bench: {what}");
}
