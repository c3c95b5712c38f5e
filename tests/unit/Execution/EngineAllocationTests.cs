using Parallax.Runtime.Execution;
using Parallax.Testing;
using static Parallax.UnitTests.Execution.EngineFixture;

namespace Parallax.UnitTests.Execution;

public class EngineAllocationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_SteadyDecode_AllocatesNothing(bool evicts)
    {
        // With the smaller pool, blocks of earlier prefixes are evicted all the while.
        using var shard = new FakeShard([null, 24], evicts ? [180, 40] : [1000, 1000]);
        var loop = new EngineLoop(shard, Options, new GreedySampling());
        for (var i = 0; i < 4; i++)
        {
            loop.Launch(Prompt(600, seed: i), 1);
            loop.RunToEnd();
        }

        var sink = new AcknowledgingSink(loop, 40);
        for (var i = 0; i < 4; i++)
        {
            var request = Request(Prompt(40, seed: i + 10), 600);
            Assert.Null(loop.Open(request, sink, TimeSpan.Zero).Refusal);
            loop.Start(request.Session, First, 0);
        }

        void Steps()
        {
            for (var i = 0; i < 80; i++)
            {
                loop.Step(TimeSpan.Zero);
            }
        }

        Steps();
        var tokens = sink.Tokens;
        var evicted = loop.Cache.CachedBlocks;
        Assert.Equal(0, Allocations.OfWarm(Steps));
        Assert.Equal(4 * 400, sink.Tokens - tokens);
        Assert.Equal(0, loop.Counters.Read().Preemptions);
        Assert.True(!evicts || loop.Cache.CachedBlocks < evicted, "nothing was evicted: the test misses its point");
    }

    private sealed class AcknowledgingSink(EngineLoop loop, int prompt) : ISessionSink
    {
        public int Tokens { get; private set; }

        public void OnToken(in EmittedToken token)
        {
            Tokens++;
            loop.Acknowledge(token.Session, token.Epoch, prompt + token.Index + 1);
        }

        public void OnFinished(in SessionEnd end) => throw new InvalidOperationException($"ended: {end}");
    }
}
