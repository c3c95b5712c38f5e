using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Hosting;

namespace Parallax.Cli.Chaos;

/// <summary>The options of <c>parallax chaos</c>.</summary>
internal sealed class ChaosOptions
{
    private const int StandardFaults = 20;

    private readonly Option<string?> _model = SharedOptions.Model();
    private readonly Option<int> _stages = Number("--stages", "Stages that the model is cut into.", 3);
    private readonly Option<int> _spares = Number("--spares", "Workers more than one for each stage.", 1);
    private readonly Option<int> _routers = Number("--routers", "Routers; a client that loses one turns to the next.", 1);
    private readonly Option<int> _threads = Number("--threads", "Compute threads of each worker.", 1);
    private readonly Option<int> _clients = Number("--clients", "Clients at once.", 4);
    private readonly Option<int> _context = Number("--context", "Tokens of each prompt, about.", 24);
    private readonly Option<int> _tokens = Number("--max-tokens", "Tokens of each answer.", 128);
    private readonly Option<int> _questions = Number("--questions", "Different questions: greedy and sampled, some with penalties, some with log-probabilities.", 8);
    private readonly Option<string> _faults = new("--faults") { Description = "Kinds of random faults, of kill, pause, slow, drop, corrupt, partition.", DefaultValueFactory = static _ => "kill", HelpName = "kinds" };
    private readonly Option<string> _victims = new("--victims") { Description = "Whom random kills, pauses and slowness hit, of head, middle, tail, spare, router, random.", DefaultValueFactory = static _ => "head,middle,tail", HelpName = "victims" };
    private readonly Option<double> _rate = new("--rate") { Description = "Random faults a second, on average.", DefaultValueFactory = static _ => 0.5, HelpName = "rate" };
    private readonly Option<string?> _script = new("--script") { Description = "A file of faults in place of random ones.", HelpName = "path" };
    private readonly Option<long> _seed = new("--seed") { Description = "The same seed, the same questions and faults.", DefaultValueFactory = static _ => 1, HelpName = "number" };
    private readonly Option<double?> _duration = new("--duration") { Description = "End after so many seconds.", HelpName = "seconds" };
    private readonly Option<int?> _requests = new("--requests") { Description = "End after so many requests.", HelpName = "count" };
    private readonly Option<int?> _faultsTotal = new("--faults-total") { Description = $"End after so many faults. Without any end: {StandardFaults}, or the script's.", HelpName = "count" };
    private readonly Option<double> _restartAfter = new("--restart-after") { Description = "Seconds after which a killed process is started again.", DefaultValueFactory = static _ => 1, HelpName = "seconds" };
    private readonly Option<double> _stuckAfter = new("--stuck-after") { Description = "Seconds without a token after which an answer counts as stuck.", DefaultValueFactory = static _ => 60, HelpName = "seconds" };
    private readonly Option<int?> _referenceCut = new("--reference-cut") { Description = "Compare with the answers of another swarm, of so many stages, in place of this one's before the first fault.", HelpName = "stages" };
    private readonly Option<string[]> _workerOptions = new("--worker-option") { Description = "Passed to each worker as it is; may be repeated.", DefaultValueFactory = static _ => [], HelpName = "option" };
    private readonly Option<string[]> _routerOptions = new("--router-option") { Description = "Passed to each router as it is; may be repeated.", DefaultValueFactory = static _ => [], HelpName = "option" };
    private readonly Option<string?> _json = new("--json") { Description = "Also write the report to a file, as JSON.", HelpName = "path" };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])
        [
            _model, _stages, _spares, _routers, _threads, _clients, _context, _tokens, _questions, _faults, _victims, _rate, _script, _seed,
            _duration, _requests, _faultsTotal, _restartAfter, _stuckAfter, _referenceCut, _workerOptions, _routerOptions, _json,
        ])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Where the report goes as JSON; null: nowhere.</summary>
    public string? JsonPath(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>The run that the options describe.</summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public ChaosPlan Read(ParseResult parsed)
    {
        var errors = new List<string>();
        foreach (var (option, least, most) in (ReadOnlySpan<(Option<int>, int, int)>)
        [
            (_stages, 1, 64), (_spares, 0, 16), (_routers, 1, 16), (_threads, 1, 1024), (_clients, 1, 256),
            (_context, 1, 1_000_000), (_tokens, 2, 1_000_000), (_questions, 1, 1000),
        ])
        {
            if (parsed.GetValue(option) is var value && (value < least || value > most))
            {
                errors.Add($"{option.Name}: {value} is out of range; use {least} to {most}.");
            }
        }

        foreach (var option in (Option<int?>[])[_requests, _faultsTotal, _referenceCut])
        {
            if (parsed.GetValue(option) < 1)
            {
                errors.Add($"{option.Name}: {parsed.GetValue(option)} is too small; use at least 1.");
            }
        }

        var restartAfter = Seconds(_restartAfter.Name, parsed.GetValue(_restartAfter), errors);
        var stuckAfter = Seconds(_stuckAfter.Name, parsed.GetValue(_stuckAfter), errors);
        TimeSpan? duration = parsed.GetValue(_duration) is { } seconds ? Seconds(_duration.Name, seconds, errors) : null;
        if (parsed.GetValue(_rate) is var rate && rate is not (> 0 and <= 50))
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"--rate: {rate} is out of range; use more than 0, at most 50 a second."));
        }

        var stages = parsed.GetValue(_stages);
        var kinds = Kinds(parsed.GetValue(_faults)!, errors);
        var victims = Victims(parsed.GetValue(_victims)!, stages, errors);
        OptionsException.ThrowIfAny(errors);

        var model = ModelLocation.Resolve(parsed.GetValue(_model));
        var swarm = SwarmPlan.Cut(model, stages, parsed.GetValue(_spares)) with
        {
            Threads = parsed.GetValue(_threads),
            Routers = parsed.GetValue(_routers),
            WorkerOptions = [.. parsed.GetValue(_workerOptions)!],
            RouterOptions = [.. parsed.GetValue(_routerOptions)!],
        };
        var seed = unchecked((ulong)parsed.GetValue(_seed));
        var isScripted = parsed.GetValue(_script) is not null;
        IEnumerable<Fault> faults = parsed.GetValue(_script) is { } script
            ? FaultScript.Parse(ReadScript(script), script, [.. swarm.Workers.Select(static worker => worker.Id)], stages)
            : FaultSchedule.Draw(new FaultPlan(seed, rate, kinds, victims, stages));
        var needs = (isScripted ? faults.Select(static fault => fault.Kind) : kinds).ToHashSet();
        if (needs.Overlaps([FaultKind.Pause, FaultKind.Slow]) && !ProcessSignal.IsSupported)
        {
            throw new OptionsException(["--faults: pause and slow need a system with SIGSTOP (Linux, macOS)."]);
        }

        return new ChaosPlan(
            swarm with { WithRelays = needs.Overlaps([FaultKind.Drop, FaultKind.Corrupt, FaultKind.Partition]) },
            new TrafficSettings { Clients = parsed.GetValue(_clients), StuckAfter = stuckAfter, Requests = parsed.GetValue(_requests) },
            faults)
        {
            Reference = parsed.GetValue(_referenceCut) is { } cut ? SwarmPlan.Cut(model, cut, spares: 0) with { Threads = swarm.Threads } : null,
            Questions = parsed.GetValue(_questions),
            PromptTokens = parsed.GetValue(_context),
            AnswerTokens = parsed.GetValue(_tokens),
            Seed = seed,
            RestartAfter = restartAfter,
            Duration = duration,
            MostFaults = parsed.GetValue(_faultsTotal) ?? (isScripted || duration is not null || parsed.GetValue(_requests) is not null ? null : StandardFaults),
        };
    }

    private static Option<int> Number(string name, string description, int standard) =>
        new(name) { Description = description, DefaultValueFactory = _ => standard, HelpName = "count" };

    private static TimeSpan Seconds(string name, double value, List<string> errors)
    {
        if (value is > 0 and <= 86_400)
        {
            return TimeSpan.FromSeconds(value);
        }

        errors.Add(string.Create(CultureInfo.InvariantCulture, $"{name}: {value} is out of range; use more than 0, at most 86400 seconds."));
        return default;
    }

    private static ImmutableArray<FaultKind> Kinds(string text, List<string> errors)
    {
        var kinds = ImmutableArray.CreateBuilder<FaultKind>();
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (Names.Parse<FaultKind>(word) is { } kind)
            {
                kinds.Add(kind);
            }
            else
            {
                errors.Add($"--faults: '{word}' is no fault; use a list of kill, pause, slow, drop, corrupt, partition.");
            }
        }

        return kinds.ToImmutable();
    }

    private static ImmutableArray<Victim> Victims(string text, int stages, List<string> errors)
    {
        var victims = ImmutableArray.CreateBuilder<Victim>();
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (Names.Parse<VictimRole>(word) is { } role and not (VictimRole.Next or VictimRole.Named))
            {
                victims.Add(new Victim(role));
            }
            else
            {
                errors.Add($"--victims: '{word}' is nobody; use a list of head, middle, tail, spare, router, random.");
            }
        }

        // A ring of two has no middle, and the default names it.
        return stages < 3 && victims.Any(static victim => victim.Role != VictimRole.Middle)
            ? [.. victims.Where(static victim => victim.Role != VictimRole.Middle)]
            : victims.ToImmutable();
    }

    private static string ReadScript(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException([$"--script: '{path}' cannot be read: {e.Message}"]);
        }
    }
}
