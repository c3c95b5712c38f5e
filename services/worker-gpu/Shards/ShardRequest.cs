using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>Which layers of which model a worker is to load, and how.</summary>
public sealed record ShardRequest
{
    /// <summary>A model folder or .gguf file on the worker's own machine.</summary>
    public required string ModelPath { get; init; }

    /// <summary>The layers; null for all.</summary>
    public LayerRange? Range { get; init; }

    /// <summary>Residual precision of the numeric class.</summary>
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Precision on links to other stages.</summary>
    public LinkPrecision Links { get; init; }

    /// <summary>Greatest prompt + answer; null takes the model's, at most 4096.</summary>
    public int? ContextLimit { get; init; }

    /// <summary>Positions of KV room over all sessions; null takes the default.</summary>
    public int? KvTokens { get; init; }

    /// <summary>Sessions computed together; null takes the engine's default.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>A shard that is drained and unloaded once the new one serves; null for none.</summary>
    public string? Replaces { get; init; }

    /// <summary>The weights' hash where this process has computed it already; null computes it.</summary>
    public string? WeightsHash { get; init; }

    /// <summary>What a worker loads at its start; null when it waits to be told.</summary>
    public static ShardRequest? First(WorkerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Model is not { } model ? null : new ShardRequest
        {
            ModelPath = model,
            Range = options.Layers,
            Residual = options.Residual,
            Links = options.Links,
            ContextLimit = options.ContextLimit,
            KvTokens = options.KvTokens,
            MaxBatch = options.MaxBatch,
        };
    }

    /// <summary>Everything that is wrong with the request by itself; empty when it can be tried.</summary>
    internal IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(ModelPath))
        {
            errors.Add("name a model folder or .gguf file on the worker's machine");
        }
        else if (!Directory.Exists(ModelPath) && !ModelPath.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            // Not any file: opening a pipe or a device would hold the worker up.
            errors.Add($"'{Wording.Printable(ModelPath)}' is no folder and no .gguf file on the worker's machine");
        }

        if (Range is { } range && (range.Start < 0 || range.End <= range.Start))
        {
            errors.Add($"{range} is no range of layers: [start, end) with 0 <= start < end");
        }

        Require(Residual is ResidualPrecision.BF16 or ResidualPrecision.F32, $"residual precision {Residual} is unknown");
        Require(ContextLimit is null or (>= 2 and <= MostTokens), $"a context of {ContextLimit} tokens is not within 2 to {MostTokens}");
        Require(KvTokens is null or (>= 2 and <= MostTokens), $"KV room for {KvTokens} tokens is not within 2 to {MostTokens}");
        Require(MaxBatch is null or (>= 1 and <= MostBatch), $"a batch of {MaxBatch} sessions is not within 1 to {MostBatch}");
        return errors;

        void Require(bool holds, string error)
        {
            if (!holds)
            {
                errors.Add(error);
            }
        }
    }

    /// <summary>The loader's options, with the worker's compute threads.</summary>
    internal LocalEngineOptions ToLoader(int? threads) => new()
    {
        ModelPath = ModelPath,
        Range = Range,
        Residual = Residual,
        Links = Links,
        ContextLimit = ContextLimit,
        KvTokens = KvTokens,
        Threads = threads,
        WeightsHash = WeightsHash,
        Executor = WorkerEngine.Limits(MaxBatch),
    };

    private const int MostTokens = 1 << 30;
    private const int MostBatch = 1024;
}
