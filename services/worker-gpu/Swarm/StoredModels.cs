using System.Globalization;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Storage;
using Parallax.Swarm.Members;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>Models of this machine's store; what is not there comes from members that hold it. Thread-safe.</summary>
internal sealed class StoredModels(ModelStore store, SwarmCredentials credentials, Func<SwarmMember> member) : IModelFinder, IDisposable
{
    private readonly MemberChannels _channels = new(credentials);

    /// <inheritdoc/>
    public IReadOnlyList<HeldModel> Held() => store.Held();

    /// <inheritdoc/>
    public Task<string> FindAsync(ModelShape model, LayerRange range, IProgress<string> progress, CancellationToken cancellationToken)
    {
        var wanted = new WantedModel(model.Name, model.WeightsHash, range.Count == model.Layers.Count ? null : range)
        {
            ManifestHash = model.ManifestHash.Length > 0 ? model.ManifestHash : null,
        };
        return store.EnsureAsync(wanted, Holders(model.WeightsHash), Open, new FetchWords(model.Name, progress), cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _channels.Dispose();

    private List<ModelPeer> Holders(string weightsHash)
    {
        var present = member();
        return [.. from worker in present.Map.Present(present.Now)
            where worker.Id != present.Self && worker.Record.Models.Any(held => held.WeightsHash == weightsHash)
            let address = worker.Record.Addresses.FirstOrDefault()
            where Uri.TryCreate(address, UriKind.Absolute, out _)
            orderby worker.RoundTrip ?? TimeSpan.MaxValue, worker.Id
            select new ModelPeer(new Uri(address), worker.Id)];
    }

    private Grpc.Net.Client.GrpcChannel Open(Uri address, PeerId? expected) => expected is { } id
        ? _channels.Get(id, address)
        : throw new InvalidOperationException("members are dialled by their ids");

    private sealed class FetchWords(string model, IProgress<string> progress) : IProgress<FetchProgress>
    {
        public void Report(FetchProgress value) => progress.Report(string.Create(
            CultureInfo.InvariantCulture,
            $"fetching {model}: {value.BytesDone >> 20} of {value.BytesTotal >> 20} MiB, {value.BytesPerSecond / (1 << 20):0} MiB/s from {value.Peers} peers"));
    }
}
