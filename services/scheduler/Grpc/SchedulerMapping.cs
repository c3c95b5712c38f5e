using System.Collections.Immutable;
using System.Security.Cryptography;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Grpc;

/// <summary>Requests in the core's terms.</summary>
internal static class SchedulerMapping
{
    private const int MostIdLength = 128;
    private const int MostTokens = 1 << 28;
    private const int MostPins = 4096;

    /// <summary>Names a command by its id and contents.</summary>
    public static CommandStamp Stamp(string id, IMessage request, List<string> problems)
    {
        if (id.Length is 0 or > MostIdLength || id.Any(char.IsControl))
        {
            problems.Add($"command_id must have 1 to {MostIdLength} printable characters; draw a new one for each command.");
        }

        return new CommandStamp(id, $"{request.Descriptor.Name}:{Convert.ToHexStringLower(SHA256.HashData(request.ToByteArray()).AsSpan(0, 16))}");
    }

    /// <summary>A model of a request; null when there are problems.</summary>
    public static DeployedModel? Model(PlannedModel? model, List<string> problems)
    {
        if (model is null)
        {
            problems.Add("model is missing.");
            return null;
        }

        var before = problems.Count;
        problems.AddRange(ModelShapes.Problems(model.Shape));
        Require(Enum.IsDefined(model.Residual), $"residual: {(int)model.Residual} is unknown.");
        Require(model.ContextLimit is >= 0 and <= MostTokens, $"context_limit: {model.ContextLimit} is out of range; use 0 for the default.");
        Require(model.KvTokens is >= 0 and <= MostTokens, $"kv_tokens: {model.KvTokens} is out of range; use 0 for the default.");
        Require(model.MaxBatch is >= 0 and <= 65536, $"max_batch: {model.MaxBatch} is out of range; use 0 for the default.");
        Require(model.MaxPipelines is >= 0 and <= 65536, $"max_pipelines: {model.MaxPipelines} is out of range; use 0 for as many as pay.");
        Require(model.Pins.Count <= MostPins, $"pins: {model.Pins.Count} are too many; use at most {MostPins}.");
        foreach (var pin in model.Pins.Take(MostPins))
        {
            Require(
                pin.WorkerId.Length is > 0 and <= MostIdLength && !pin.WorkerId.Any(char.IsControl),
                $"pins: '{Printable(pin.WorkerId)}' is no worker's id.");
            Require(
                (pin.Model.Length == 0 || pin.Model == model.Shape?.Name) && (pin.WeightsHash.Length == 0 || pin.WeightsHash == model.Shape?.WeightsHash),
                $"pins: worker '{Printable(pin.WorkerId)}' is to hold another model or other weights than those that are deployed.");
        }

        Require(
            model.Pins.Select(static pin => pin.WorkerId).Distinct(StringComparer.Ordinal).Count() == model.Pins.Count,
            "pins: a worker holds one range of a model; name each worker once.");
        if (problems.Count > before)
        {
            return null;
        }

        return new DeployedModel(
            ModelShapes.FromWire(model.Shape!), // one that is missing is a problem
            model.Residual == NumericClass.Types.Residual.F32 ? model.Residual : NumericClass.Types.Residual.Bf16,
            model.LinksQ8,
            model.ContextLimit,
            model.KvTokens,
            model.MaxBatch,
            model.MaxPipelines,
            model.Shape!.CanChat);

        void Require(bool condition, string problem)
        {
            if (!condition)
            {
                problems.Add(problem);
            }
        }
    }

    /// <summary>The pins of a request that <see cref="Model"/> has found right; null where it leaves them as they are.</summary>
    public static ImmutableArray<Assignment>? Pins(PlannedModel model, bool areReplaced) => areReplaced || model.Pins.Count > 0
        ? [.. model.Pins.Select(pin => new Assignment(pin.WorkerId, model.Shape.Name, new LayerRange(pin.LayerStart, pin.LayerEnd)))]
        : null;

    /// <summary>The hypothesis of a request on top of what is; null when there are problems.</summary>
    public static (SchedulerState State, SwarmView Swarm)? Hypothesis(WhatIfRequest request, SchedulerState state, SwarmView swarm, List<string> problems)
    {
        var workers = request.WithoutSwarm ? SwarmView.Empty.Workers : swarm.Workers.RemoveRange(swarm.Workers.Values.Where(worker => PlanRequest.IsRemoved(state, worker)).Select(static worker => worker.Id));
        foreach (var id in request.RemoveWorkers)
        {
            if (!workers.ContainsKey(id))
            {
                problems.Add($"remove_workers: '{Printable(id)}' is not in the swarm.");
            }
        }

        workers = workers.RemoveRange(request.RemoveWorkers);
        foreach (var record in request.AddWorkers)
        {
            if (WorkerRecords.Read(record, out var problem) is { } view)
            {
                workers = workers.SetItem(view.Id, view);
            }
            else
            {
                problems.Add($"add_workers: '{Printable(record.WorkerId)}': {problem}.");
            }
        }

        state = request.WithoutModels ? state with { Models = SchedulerState.Empty.Models, Pins = [] } : state;
        if (request.WithoutSwarm)
        {
            state = state with { Draining = SchedulerState.Empty.Draining };
        }

        var nobody = new CommandStamp("", "");
        foreach (var name in request.Retire)
        {
            if (!state.Models.ContainsKey(name))
            {
                problems.Add($"retire: '{Printable(name)}' is not deployed.");
            }

            state = Evolution.Evolve(state, new ModelRetired(nobody, name));
        }

        foreach (var model in request.Deploy)
        {
            if (Model(model, problems) is not { } deployed)
            {
                continue;
            }

            var pins = Pins(model, areReplaced: false);
            problems.AddRange((pins ?? []).Select(pin => PinCheck.Refuse(pin, deployed, state, new SwarmView(workers))?.Message).OfType<string>());
            state = Evolution.Evolve(state, new ModelDeployed(nobody, deployed) { Pins = pins });
        }

        return problems.Count > 0 ? null : (state with { Removed = SchedulerState.Empty.Removed }, new SwarmView(workers));
    }

    /// <summary>Text from a request, as it may stand in a message.</summary>
    public static string Printable(string text) =>
        string.Concat((text.Length > 64 ? text[..64] : text).Select(static c => char.IsControl(c) ? '?' : c));

    /// <summary>Problems as one message.</summary>
    public static string Joined(IEnumerable<string> problems) => string.Join(" ", problems.Take(16));

    /// <summary>A command's outcome on the wire.</summary>
    public static CommandReply ToWire(Workflow.CommandOutcome outcome)
    {
        var reply = new CommandReply
        {
            Version = new PlanVersion { Term = outcome.State.Term, Version = outcome.State.Version },
            RepeatedCommand = outcome.IsRepeat,
            PlanChanged = outcome.PlanChanged,
        };
        reply.Shortages.AddRange(outcome.State.Placed?.Plan.Shortages.Select(static shortage => shortage.Text) ?? ImmutableArray<string>.Empty);
        return reply;
    }
}
