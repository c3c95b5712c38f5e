using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.Messages;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Scheduler.Grpc;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Commands;

/// <summary>
/// Reads commands in the form of the bus. A command that comes by gRPC as well under the same id, with the same contents, is the
/// same command. Pure.
/// </summary>
internal static class CommandRequests
{
    /// <summary>Bytes of a request at most: a model of 1,000 layers with its pins has a tenth of it.</summary>
    public const int MostBytes = 1024 * 1024;

    /// <summary>Characters of an id at most.</summary>
    public const int MostIdLength = 128;

    /// <summary>Characters of an issuer's name at most.</summary>
    public const int MostIssuerLength = 256;

    /// <summary>What is wrong with a message so that not even its rejection can be written down; null when nothing is.</summary>
    public static string? Unusable(SubmitCommand message) =>
        !IsId(message.Id) ? $"Its id must have 1 to {MostIdLength} letters, digits, dots, dashes or underscores."
        : message.Kind is not { Length: > 0 and <= 32 } ? "It has no kind."
        : message.Request.Length > MostBytes ? $"Its request has {message.Request.Length} bytes; at most {MostBytes} may be in one."
        : message.Issuer is not { Length: <= MostIssuerLength } || message.Issuer.Any(char.IsControl) ? $"Its issuer must have at most {MostIssuerLength} printable characters."
        : null;

    /// <summary>Whether it can be a command's id.</summary>
    public static bool IsId(string? id) => id is { Length: > 0 and <= MostIdLength } && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>The command in the core's terms.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="kind">One of <see cref="CommandKinds"/>.</param>
    /// <param name="request">The request.</param>
    /// <param name="problem">Why it cannot be read; null when it can.</param>
    /// <returns>Null when it cannot.</returns>
    public static PlanCommand? Read(string id, string kind, ReadOnlyMemory<byte> request, out string? problem)
    {
        var problems = new List<string>();
        PlanCommand? command = null;
        try
        {
            command = Read(id, kind, request.Span, problems);
        }
        catch (InvalidProtocolBufferException e)
        {
            problems.Add($"The request is none of a '{kind}': {e.Message}");
        }

        problem = problems.Count > 0 ? SchedulerMapping.Joined(problems) : null;
        return problem is null ? command : null;
    }

    /// <summary>What it is about, for people.</summary>
    public static string Subject(PlanCommand command) => command switch
    {
        DeployModel deploy => deploy.Model.Name,
        RetireModel retire => retire.Model,
        DrainWorker drain => drain.Worker,
        RemoveWorker remove => remove.Worker,
        PinShard pin => $"{pin.Pin.Node} {pin.Pin.Model} {pin.Pin.Range}",
        UnpinShard unpin => $"{unpin.Worker} {unpin.Model}",
        _ => "",
    };

    /// <summary>The command with its worker's id in place of the beginning of one, or of a name, where exactly one worker is meant.</summary>
    public static PlanCommand Resolve(PlanCommand command, IReadOnlyCollection<WorkerRecord> records)
    {
        return command switch
        {
            DrainWorker drain => drain with { Worker = Find(drain.Worker) },
            RemoveWorker remove => remove with { Worker = Find(remove.Worker) },
            PinShard pin => pin with { Pin = pin.Pin with { Node = Find(pin.Pin.Node) } },
            UnpinShard unpin => unpin with { Worker = Find(unpin.Worker) },
            _ => command,
        };

        string Find(string named)
        {
            if (PeerId.TryParse(named, out _))
            {
                return named;
            }

            var meant = records
                .Where(record => record.Name == named || (named.Length >= 4 && record.WorkerId.StartsWith(named, StringComparison.Ordinal)))
                .Select(static record => record.WorkerId)
                .Distinct(StringComparer.Ordinal)
                .Take(2)
                .ToList();
            return meant is [var only] ? only : named; // which is then refused, with what there is
        }
    }

    private static PlanCommand? Read(string id, string kind, ReadOnlySpan<byte> request, List<string> problems)
    {
        switch (kind)
        {
            case CommandKinds.Deploy:
                var deploy = DeployRequest.Parser.ParseFrom(request);
                deploy.CommandId = id;
                var stamp = SchedulerMapping.Stamp(id, deploy, problems);
                return SchedulerMapping.Model(deploy.Model, problems) is { } model
                    ? new DeployModel(stamp, model) { Pins = SchedulerMapping.Pins(deploy.Model, deploy.ReplacePins) }
                    : null;
            case CommandKinds.Retire:
                var retire = RetireRequest.Parser.ParseFrom(request);
                retire.CommandId = id;
                return new RetireModel(SchedulerMapping.Stamp(id, retire, problems), Name(retire.Model));
            case CommandKinds.Drain:
                var drain = WorkerRequest.Parser.ParseFrom(request);
                drain.CommandId = id;
                return new DrainWorker(Called("Drain", SchedulerMapping.Stamp(id, drain, problems)), Name(drain.WorkerId));
            case CommandKinds.Remove:
                var remove = WorkerRequest.Parser.ParseFrom(request);
                remove.CommandId = id;
                return new RemoveWorker(Called("Remove", SchedulerMapping.Stamp(id, remove, problems)), Name(remove.WorkerId));
            case CommandKinds.Pin:
                var pin = PinRequest.Parser.ParseFrom(request);
                pin.CommandId = id;
                return new PinShard(
                    SchedulerMapping.Stamp(id, pin, problems), new Assignment(Name(pin.WorkerId), Name(pin.Model), new LayerRange(pin.LayerStart, pin.LayerEnd)));
            case CommandKinds.Unpin:
                var unpin = UnpinRequest.Parser.ParseFrom(request);
                unpin.CommandId = id;
                return new UnpinShard(SchedulerMapping.Stamp(id, unpin, problems), Name(unpin.WorkerId), Name(unpin.Model));
            case CommandKinds.Rebalance:
                var rebalance = RebalanceRequest.Parser.ParseFrom(request);
                rebalance.CommandId = id;
                return new Rebalance(SchedulerMapping.Stamp(id, rebalance, problems));
            default:
                problems.Add($"'{SchedulerMapping.Printable(kind)}' is no kind of command; use deploy, retire, drain, remove, pin, unpin or rebalance.");
                return null;
        }

        string Name(string text)
        {
            if (text.Length is 0 or > 256 || text.Any(char.IsControl))
            {
                problems.Add("A name or id has 1 to 256 printable characters.");
            }

            return text;
        }
    }

    private static CommandStamp Called(string call, CommandStamp stamp) => stamp with { Digest = call + stamp.Digest };
}
