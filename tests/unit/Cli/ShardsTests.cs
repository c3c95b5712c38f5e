using Parallax.Cli.Run;
using Parallax.Cli.Shards;
using Parallax.Cli.Terminal;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Cli;

public sealed class ShardsTests
{
    [Fact]
    public void Format_Shards_StandInColumnsAboveTheMemory()
    {
        var reply = new ListShardsReply { MemoryLimitBytes = 4L << 30, MemoryUsedBytes = 150L << 20 };
        reply.Shards.Add(new Shard
        {
            Model = new ServedModel { ShardId = "s1", Name = "demo", LayerEnd = 8, LayerCount = 8 },
            State = ShardState.Serving,
            WeightBytes = 14L << 20,
            KvBytes = 128L << 20,
            Sessions = 3,
        });
        reply.Shards.Add(new Shard { Model = new ServedModel { ShardId = "s12", Name = "longer", LayerStart = 10, LayerEnd = 20, LayerCount = 30 }, State = ShardState.Draining });

        Assert.Equal(
            """
            SHARD  MODEL   LAYERS       STATE     WEIGHTS  KV CACHE  SESSIONS
            s1     demo    0-8 of 8     serving   14 MiB   128 MiB   3
            s12    longer  10-20 of 30  draining  0 B      0 B       0
            memory: 150 MiB of 4 GiB used

            """.ReplaceLineEndings("\n"),
            ShardTable.Format(reply));
    }

    [Fact]
    public void CombinedProgress_SeveralLoads_AreShownAsOne()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var combined = new CombinedProgress(new LoadDisplay(output, isRedirected: true), layers: 8, parts: 2);

        combined.Part(0).Report(new LoadProgress(2, 4, 1024));
        combined.Part(1).Report(new LoadProgress(4, 4, 4096));
        combined.Part(0).Report(new LoadProgress(4, 4, 2048));

        Assert.Equal("Loading: 2/8 layers, 1 KiB\nLoading: 6/8 layers, 5 KiB\nLoading: 8/8 layers, 6 KiB\n", output.ToString());
    }
}
