using System.Collections.Immutable;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Fetching;

/// <summary>
/// Decides which chunks are read from which peer next: from the peer with the fewest streams, at most
/// <see cref="StreamsPerPeer"/> each; a peer that failed waits twice as long each time and is given up after
/// <see cref="MostFailures"/> failures in a row; one that sent wrong bytes is given up at once. Pure: time is a parameter.
/// Single-threaded.
/// </summary>
internal sealed class FetchBoard
{
    public const int StreamsPerPeer = 2;
    public const int MostFailures = 6;
    public const int MostRefusals = 240;

    private const long BatchBytes = 16L << 20;
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BusyWait = TimeSpan.FromMilliseconds(500);

    private readonly ModelManifest _manifest;
    private readonly ChunkSet _missing; // neither here nor asked for
    private readonly List<Peer> _peers = [];
    private int _running;

    /// <param name="manifest">The model's files.</param>
    /// <param name="missing">What is to be read.</param>
    public FetchBoard(ModelManifest manifest, ChunkSet missing)
    {
        _manifest = manifest;
        _missing = missing.Copy();
    }

    /// <summary>Whether everything has been read.</summary>
    public bool IsDone => _missing.Count == 0 && _running == 0;

    /// <summary>Peers that have streams running.</summary>
    public int ActivePeers => _peers.Count(static peer => peer.Running > 0);

    /// <summary>Adds a peer; its index is the count before.</summary>
    public void AddPeer(string name, ChunkSet held) => _peers.Add(new Peer(name, held));

    /// <summary>The next stream to open, or null when none can be now.</summary>
    public FetchTask? Next(TimeSpan now)
    {
        var order = Enumerable.Range(0, _peers.Count).OrderBy(index => _peers[index].Running).ThenBy(index => _peers[index].Failures).ThenBy(static index => index);
        foreach (var index in order)
        {
            var peer = _peers[index];
            if (!peer.IsGivenUp && peer.Running < StreamsPerPeer && peer.NotBefore <= now && Batch(peer) is { IsEmpty: false } chunks)
            {
                peer.Running++;
                _running++;
                return new FetchTask(index, chunks);
            }
        }

        return null;
    }

    /// <summary>Takes note of a stream's end.</summary>
    /// <param name="task">Which.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="done">Chunks that came.</param>
    /// <param name="problem">What went wrong, for people.</param>
    /// <param name="now">The time.</param>
    public void Report(FetchTask task, FetchOutcome outcome, IReadOnlyCollection<int> done, string problem, TimeSpan now)
    {
        var peer = _peers[task.Peer];
        peer.Running--;
        _running--;
        foreach (var chunk in task.Chunks.Except(done))
        {
            _missing.Add(chunk);
            if (outcome == FetchOutcome.Lacks)
            {
                peer.Held.Remove(chunk);
            }
        }

        if (done.Count > 0)
        {
            peer.Failures = 0;
            peer.Refusals = 0;
        }

        peer.Problem = outcome == FetchOutcome.Done ? "" : problem;
        switch (outcome)
        {
            case FetchOutcome.Broken:
                peer.IsGivenUp = true;
                break;
            case FetchOutcome.Gone:
                peer.NotBefore = now + (FirstWait * (1 << peer.Failures));
                peer.Failures++;
                peer.IsGivenUp |= peer.Failures >= MostFailures;
                break;
            case FetchOutcome.Busy:
                peer.NotBefore = now + BusyWait;
                peer.Refusals++;
                peer.IsGivenUp |= peer.Refusals >= MostRefusals;
                break;
        }
    }

    /// <summary>When a stream may be opened that none can be for now; null when only a stream's end changes anything.</summary>
    public TimeSpan? NextTry() => _peers
        .Where(peer => !peer.IsGivenUp && peer.Running < StreamsPerPeer && Lacks(peer))
        .Min(static peer => (TimeSpan?)peer.NotBefore);

    /// <summary>Why nothing more can be read, peer by peer; null while something can, or all is read.</summary>
    public string? Stuck()
    {
        if (_running > 0 || _missing.Count == 0 || NextTry() is not null)
        {
            return null;
        }

        var reasons = _peers.Select(static peer => $"{peer.Name}: {(peer.Problem.Length > 0 ? peer.Problem : "has none of them")}");
        return _peers.Count == 0 ? "nobody is known to have them" : string.Join("; ", reasons);
    }

    /// <summary>Chunks that have not been read.</summary>
    public int MissingCount => _missing.Count;

    private bool Lacks(Peer peer) => _missing.Chunks().Any(peer.Held.Contains);

    private ImmutableArray<int> Batch(Peer peer)
    {
        var batch = ImmutableArray.CreateBuilder<int>();
        var bytes = 0L;
        foreach (var chunk in _missing.Chunks())
        {
            if (!peer.Held.Contains(chunk))
            {
                continue;
            }

            var length = _manifest.LengthOf(chunk);
            if (batch.Count > 0 && (bytes + length > BatchBytes || _manifest.FileOf(chunk) != _manifest.FileOf(batch[0])))
            {
                break;
            }

            batch.Add(chunk);
            bytes += length;
        }

        foreach (var chunk in batch)
        {
            _missing.Remove(chunk);
        }

        return batch.ToImmutable();
    }

    private sealed class Peer(string name, ChunkSet held)
    {
        public string Name => name;

        public ChunkSet Held { get; } = held.Copy();

        public int Running { get; set; }

        public int Failures { get; set; }

        public int Refusals { get; set; }

        public TimeSpan NotBefore { get; set; }

        public bool IsGivenUp { get; set; }

        public string Problem { get; set; } = "";
    }
}
