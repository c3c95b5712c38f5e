using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.ModelFiles.Storage;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Cli.Swarm;

/// <summary>What is to be served, on the command lines that deploy a model.</summary>
internal sealed class DeployOptionSet
{
    private readonly Argument<string> _model = new("model") { Description = "A model on this machine, file or folder, or a hub's owner/name, which is downloaded to here." };
    private readonly Option<int?> _context = new("--ctx") { Description = "Greatest length of prompt and answer together, in tokens. Default: the model's own, at most 4096.", HelpName = "tokens" };
    private readonly Option<int?> _kvTokens = new("--kv-tokens") { Description = "Positions of KV room of each pipeline. Default: by context and batch, at most 128 MiB.", HelpName = "count" };
    private readonly Option<int?> _batch = new("--max-batch") { Description = "Requests that are computed together; others wait. Default: 16.", HelpName = "count" };
    private readonly Option<int?> _pipelines = new("--max-pipelines") { Description = "Pipelines at most. Default: as many as pay.", HelpName = "count" };
    private readonly Option<string> _residual = SharedOptions.Residual();

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        foreach (var option in (Option[])[_context, _kvTokens, _batch, _pipelines, _residual])
        {
            command.Options.Add(option);
        }
    }

    /// <exception cref="OptionsException">Something cannot be; names it.</exception>
    public void Validate(ParseResult parsed)
    {
        var errors = new List<string>();
        RequireAtLeast(_context, 2);
        RequireAtLeast(_kvTokens, 1);
        RequireAtLeast(_batch, 1);
        RequireAtLeast(_pipelines, 1);
        OptionsException.ThrowIfAny(errors);

        void RequireAtLeast(Option<int?> option, int least)
        {
            if (parsed.GetValue(option) is { } value && value < least)
            {
                errors.Add($"{option.Name}: {value} is less than {least}.");
            }
        }
    }

    /// <summary>The model as a deployment names it, read here.</summary>
    public async Task<PlannedModel> DescribeAsync(ParseResult parsed, CancellationToken stop)
    {
        var request = new ShardRequest
        {
            ModelPath = await HubModel.ResolveAsync(parsed.GetValue(_model)!, Console.Error, stop),
            Residual = parsed.GetValue(_residual) == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16,
            ContextLimit = parsed.GetValue(_context),
            KvTokens = parsed.GetValue(_kvTokens),
            MaxBatch = parsed.GetValue(_batch),
        };
        await using var store = new ModelStore(new ModelStoreOptions { Paths = [request.ModelPath] }, TimeProvider.System, NullLogger<ModelStore>.Instance);
        var planned = ServedDescription.Describe(request, threads: null, await store.AddAsync(request.ModelPath, stop));
        planned.MaxPipelines = parsed.GetValue(_pipelines) ?? 0;
        return planned;
    }
}
