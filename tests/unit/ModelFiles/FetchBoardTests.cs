using CsCheck;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Manifests;

namespace Parallax.UnitTests.ModelFiles;

/// <summary>Which chunks are asked of whom, and when a download is given up.</summary>
public sealed class FetchBoardTests
{
    private const int Chunks = 40;
    private static readonly ModelManifest Manifest = Make();
    private static readonly TimeSpan Zero = TimeSpan.Zero;

    [Fact]
    public void Next_TwoPeers_SharesChunksAndLimitsStreams()
    {
        var board = new FetchBoard(Manifest, ChunkSet.Full(Chunks));
        board.AddPeer("a", ChunkSet.Full(Chunks));
        board.AddPeer("b", ChunkSet.Full(Chunks));

        var tasks = Enumerable.Range(0, 10).Select(_ => board.Next(Zero)).OfType<FetchTask>().ToList();

        Assert.Equal([0, 1, 0, 1], tasks.Select(static task => task.Peer)); // 16 + 4 chunks of each file
        Assert.Equal(Enumerable.Range(0, Chunks), tasks.SelectMany(static task => task.Chunks));
        Assert.Equal(2, board.ActivePeers);
        Assert.False(board.IsDone);
        foreach (var task in tasks)
        {
            board.Report(task, FetchOutcome.Done, task.Chunks, "", Zero);
        }

        Assert.True(board.IsDone);
        Assert.Null(board.Stuck());
    }

    [Fact]
    public void Report_Broken_PeerIsNeverAskedAgain()
    {
        var board = new FetchBoard(Manifest, ChunkSet.Full(Chunks));
        board.AddPeer("liar", ChunkSet.Full(Chunks));
        var task = board.Next(Zero)!;
        board.Report(task, FetchOutcome.Broken, [0, 1], "sent a wrong chunk", Zero);

        Assert.Null(board.Next(TimeSpan.FromDays(1)));
        Assert.Equal(Chunks - 2, board.MissingCount);
        Assert.Contains("liar: sent a wrong chunk", board.Stuck(), StringComparison.Ordinal);

        board.AddPeer("honest", ChunkSet.Full(Chunks));
        Assert.Null(board.Stuck());
        Assert.Equal(1, board.Next(Zero)!.Peer);
    }

    [Fact]
    public void Report_Gone_WaitsTwiceAsLongEachTimeAndGivesUp()
    {
        var board = new FetchBoard(Manifest, ChunkSet.Full(Chunks));
        board.AddPeer("a", ChunkSet.Full(Chunks));
        var now = Zero;
        for (var failure = 0; failure < FetchBoard.MostFailures; failure++)
        {
            var task = board.Next(now)!;
            board.Report(task, FetchOutcome.Gone, [], "Unavailable", now);
            if (failure + 1 < FetchBoard.MostFailures)
            {
                var wait = TimeSpan.FromMilliseconds(250 << failure);
                Assert.Equal(now + wait, board.NextTry());
                Assert.Null(board.Next(now + wait - TimeSpan.FromTicks(1)));
                Assert.Null(board.Stuck());
                now += wait;
            }
        }

        Assert.Contains("a: Unavailable", board.Stuck(), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_SomethingCame_FailuresInARowBeginAnew()
    {
        var board = new FetchBoard(Manifest, ChunkSet.Full(Chunks));
        board.AddPeer("a", ChunkSet.Full(Chunks));
        var now = Zero;
        for (var i = 0; i < Chunks - 1; i++)
        {
            now += TimeSpan.FromSeconds(10);
            var task = board.Next(now)!;
            board.Report(task, FetchOutcome.Gone, [task.Chunks[0]], "cut", now);
        }

        Assert.Null(board.Stuck());
        Assert.Equal(1, board.MissingCount);
    }

    [Fact]
    public void Report_Lacks_ThoseChunksAreAskedOfOthers()
    {
        var board = new FetchBoard(Manifest, ChunkSet.Full(Chunks));
        board.AddPeer("a", ChunkSet.Full(Chunks));
        board.Report(board.Next(Zero)!, FetchOutcome.Lacks, [], "not here", Zero);

        Assert.Equal(Enumerable.Range(16, 4), board.Next(Zero)!.Chunks);
    }

    [Fact]
    public void Stuck_ChunksThatNobodyHas_IsSaidAtOnce()
    {
        var board = new FetchBoard(Manifest, ChunkSet.Full(Chunks));
        var part = new ChunkSet(Chunks);
        part.AddRange(0, Chunks - 1);
        board.AddPeer("a", part);
        while (board.Next(Zero) is { } task)
        {
            board.Report(task, FetchOutcome.Done, task.Chunks, "", Zero);
        }

        Assert.Contains("has none of them", board.Stuck(), StringComparison.Ordinal);
    }

    [Fact]
    public void Stuck_NoPeers_IsSaid() =>
        Assert.Contains("nobody", new FetchBoard(Manifest, ChunkSet.Full(Chunks)).Stuck(), StringComparison.Ordinal);

    /// <summary>Whatever happens, no chunk is asked for twice at once or lost, and it ends.</summary>
    [Fact]
    public void AnyOutcomes_NoChunkTwiceOrLost() => Gen.Select(Gen.Int[1, 4], Gen.Int, Gen.Int[0, 9]).Sample((peers, seed, luck) =>
    {
        var random = new Random(seed);
        var wanted = new ChunkSet(Chunks);
        foreach (var chunk in Enumerable.Range(0, Chunks).Where(_ => random.Next(4) > 0))
        {
            wanted.Add(chunk);
        }

        var board = new FetchBoard(Manifest, wanted);
        var holdings = new List<ChunkSet>();
        for (var i = 0; i < peers; i++)
        {
            var held = new ChunkSet(Chunks);
            foreach (var chunk in Enumerable.Range(0, Chunks).Where(_ => random.Next(3) > 0))
            {
                held.Add(chunk);
            }

            holdings.Add(held);
            board.AddPeer($"{i}", held);
        }

        var got = new ChunkSet(Chunks);
        var running = new List<FetchTask>();
        var now = Zero;
        var steps = 0;
        while (!board.IsDone && board.Stuck() is null)
        {
            Assert.True(++steps < 100_000, "does not end");
            while (board.Next(now) is { } task)
            {
                Assert.All(task.Chunks, chunk => Assert.True(wanted.Contains(chunk) && !got.Contains(chunk) && holdings[task.Peer].Contains(chunk)));
                Assert.Empty(running.SelectMany(static other => other.Chunks).Intersect(task.Chunks));
                Assert.Single(task.Chunks.Select(Manifest.FileOf).Distinct());
                running.Add(task);
            }

            if (running.Count == 0)
            {
                now = board.NextTry()!.Value;
                continue;
            }

            var index = random.Next(running.Count);
            var ended = running[index];
            running.RemoveAt(index);
            var outcome = random.Next(10) < luck ? FetchOutcome.Done : (FetchOutcome)random.Next(1, 5);
            var done = outcome == FetchOutcome.Done ? [.. ended.Chunks] : ended.Chunks.Take(random.Next(ended.Chunks.Length)).ToArray();
            foreach (var chunk in done)
            {
                Assert.True(got.Add(chunk));
            }

            board.Report(ended, outcome, done, "trouble", now);
            now += TimeSpan.FromMilliseconds(random.Next(300));
        }

        Assert.Equal(board.IsDone, got.Count == wanted.Count);
        Assert.Equal(wanted.Count - got.Count, board.MissingCount);
    });

    /// <summary>Two files of 20 chunks.</summary>
    private static ModelManifest Make()
    {
        var hash = new string('c', 64);
        var body = new ManifestBody { Version = 1, WeightsHash = hash, Layout = ManifestLayout.Folder, LayerCount = 1, ChunkBytes = 1 << 20 };
        foreach (var name in (string[])["model-1.safetensors", "model-2.safetensors"])
        {
            body.Files.Add(new ManifestFile { Name = name, Length = 20 << 20, ChunkHashes = ByteString.CopyFrom(new byte[20 * 32]) });
        }

        body.Layers.Add(new LayerFiles());
        return ManifestReader.Read(body.ToByteArray(), hash);
    }
}
