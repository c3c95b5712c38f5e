using Grpc.Core;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Manifests;
using Parallax.ModelFiles.Storage;

namespace Parallax.ModelFiles.Fetching;

internal sealed partial class ModelFetcher
{
    private const int MostPeers = 64;
    private const int AskRounds = 4;
    private static readonly TimeSpan AskTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Asks peers what they have; again, with growing pauses, while nobody answers.</summary>
    /// <exception cref="ModelFilesException">Nobody has anything, or nobody could be reached.</exception>
    public async Task<IReadOnlyList<AskedPeer>> AskAsync(string model, string weightsHash, IReadOnlyList<ModelPeer> peers, CancellationToken cancellationToken)
    {
        var asked = peers.Where(peer => !banned.Contains(peer)).Distinct().Take(MostPeers).ToArray();
        if (asked.Length == 0)
        {
            throw new ModelFilesException(
                ModelFilesProblem.NoPeer,
                $"No peer is known that has files of '{model}'{(peers.Count > 0 ? " (those that are have sent wrong bytes before)" : "")}. Give the model with --model, or start a worker that has it.");
        }

        for (var round = 0; ; round++)
        {
            var answers = await Task.WhenAll(asked.Select(peer => AskOneAsync(peer, weightsHash, cancellationToken)));
            if (answers.Any(static answer => answer.Asked is not null))
            {
                return [.. answers.Select(static answer => answer.Asked).OfType<AskedPeer>()];
            }

            var reachable = answers.All(static answer => !answer.TryAgain);
            if (reachable || round + 1 == AskRounds)
            {
                throw new ModelFilesException(
                    ModelFilesProblem.NoPeer,
                    $"None of the {asked.Length} peers that were asked can give files of '{model}': {string.Join("; ", answers.Select(static answer => answer.Problem))}.");
            }

            await Task.Delay(FirstPause * (1 << round), clock, cancellationToken);
        }
    }

    /// <summary>The manifest that is believed (<see cref="ManifestChoice"/>), from whoever has it.</summary>
    /// <exception cref="ModelFilesException">Nobody has it, they disagree, or none of them sent it.</exception>
    public async Task<ModelManifest> ReadManifestAsync(WantedModel wanted, string? named, IReadOnlyList<AskedPeer> asked, CancellationToken cancellationToken)
    {
        var hash = ManifestChoice.Choose(wanted.Name, named, [.. asked.Select(static peer => (peer.Peer.ToString(), peer.Head.ManifestHash))]);
        var problems = new List<string>();
        foreach (var peer in asked.Where(peer => peer.Head.ManifestHash == hash))
        {
            try
            {
                return await ReadManifestAsync(wanted.WeightsHash, hash, peer, cancellationToken);
            }
            catch (ModelFilesException e)
            {
                Ban(peer.Peer, e.Message);
                problems.Add($"{peer.Peer}: {e.Message}");
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is RpcException or OperationCanceledException)
            {
                problems.Add($"{peer.Peer}: {Describe(e)}");
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw new ModelFilesException(ModelFilesProblem.PeersGone, $"Nobody sent the manifest of '{wanted.Name}': {string.Join("; ", problems)}.");
    }

    private async Task<ModelManifest> ReadManifestAsync(string weightsHash, string hash, AskedPeer peer, CancellationToken cancellationToken)
    {
        using var patience = Patience(cancellationToken);
        using var call = peer.Client.GetManifest(new GetManifestRequest { WeightsHash = weightsHash, WithContents = true }, cancellationToken: patience.Token);
        var contents = new MemoryStream();
        await foreach (var part in call.ResponseStream.ReadAllAsync(patience.Token))
        {
            patience.CancelAfter(options.Patience);
            if (part.PartCase == ManifestPart.PartOneofCase.Contents)
            {
                if (contents.Length + part.Contents.Length > ManifestLimits.MaxBytes)
                {
                    throw new ModelFilesException(ModelFilesProblem.Malformed, $"the manifest exceeds {ManifestLimits.MaxBytes} bytes");
                }

                contents.Write(part.Contents.Span);
            }
        }

        var manifest = ManifestReader.Read(contents.ToArray(), weightsHash);
        return manifest.Hash == hash ? manifest : throw new ModelFilesException(ModelFilesProblem.Malformed, "the manifest is another than was announced");
    }

    private async Task<(AskedPeer? Asked, bool TryAgain, string Problem)> AskOneAsync(ModelPeer peer, string weightsHash, CancellationToken cancellationToken)
    {
        using var patience = Patience(cancellationToken);
        patience.CancelAfter(AskTime);
        try
        {
            var client = new Contracts.V1.ModelFiles.ModelFilesClient(channels(peer.Address, peer.Id));
            using var call = client.GetManifest(new GetManifestRequest { WeightsHash = weightsHash }, cancellationToken: patience.Token);
            return await call.ResponseStream.MoveNext(patience.Token) && call.ResponseStream.Current.Head is { ManifestHash.Length: 64 } head
                ? (new AskedPeer(peer, client, head), false, "")
                : (null, false, $"{peer}: sent no manifest");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            var hasNone = e is RpcException { StatusCode: StatusCode.NotFound or StatusCode.Unimplemented };
            LogNoAnswer(peer, Describe(e));
            return (null, !hasNone, $"{peer}: {(hasNone ? "has none" : Describe(e))}");
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "{Peer} gives no files: {Problem}")]
    private partial void LogNoAnswer(ModelPeer peer, string problem);
}
