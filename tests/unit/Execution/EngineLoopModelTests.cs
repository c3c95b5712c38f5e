using CsCheck;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;
using Parallax.Testing;
using static Parallax.UnitTests.Execution.EngineFixture;

namespace Parallax.UnitTests.Execution;

/// <summary>
/// Random traffic over tiny KV pools: whatever is shared, interrupted, evicted and cancelled, every session gets the
/// tokens that it would get alone, none is lost, and no block leaks.
/// </summary>
public class EngineLoopModelTests
{
    private static readonly int?[][] Layouts = [[null], [20], [null, 20], [9, 33], [null, 1]];

    private static readonly Gen<ExecutorOptions> GenOptions = Gen.Select(
        Gen.Int[1, 6], Gen.Int[16, 90], Gen.Int[16, 40], Gen.Int[1, 32],
        (batch, budget, mixed, ahead) => new ExecutorOptions { MaxBatch = batch, TokenBudget = budget, MixedPrefillTokens = mixed, RunAhead = ahead, MaxSessions = 12 });

    [Fact]
    public void RandomTraffic_EverySessionGetsItsOwnTokens()
    {
        Gen.Select(Gen.Int[0, Layouts.Length - 1], Gen.Int[9, 24], GenOptions, Gen.Int[0, int.MaxValue].Array[10, 150]).Sample(
            (layout, blocks, options, operations) => new Traffic(Layouts[layout], blocks, options, hasher: null).Run(operations),
            iter: 400);
    }

    [Fact]
    public void RandomTraffic_HashesThatCollide_EverySessionGetsItsOwnTokens()
    {
        Gen.Select(Gen.Int[0, Layouts.Length - 1], Gen.Int[9, 24], GenOptions, Gen.Int[0, int.MaxValue].Array[10, 150]).Sample(
            (layout, blocks, options, operations) =>
                new Traffic(Layouts[layout], blocks, options, (parent, ids) => BlockHash.Chain(parent, ids) % 7).Run(operations),
            iter: 200);
    }

    private sealed class Traffic
    {
        private readonly int?[] _windows;
        private readonly EngineLoop _loop;
        private readonly List<Session> _all = [];
        private TimeSpan _now;

        public Traffic(int?[] windows, int blocks, ExecutorOptions options, BlockHasher? hasher)
        {
            _windows = windows;
            var shard = new FakeShard(windows, [.. windows.Select((_, g) => blocks - g)]);
            _loop = new EngineLoop(shard, options, new GreedySampling(), hasher);
        }

        public void Run(int[] operations)
        {
            foreach (var operation in operations)
            {
                Apply(operation);
                _loop.CheckCache();
            }

            Settle();
        }

        private List<Session> Open => _all.FindAll(session => !session.Sink.Finished.IsCompleted);

        private void Apply(int operation)
        {
            var argument = operation / 10;
            var open = Open;
            var chosen = open.Count == 0 ? null : open[argument % open.Count];
            switch (operation % 10)
            {
                case 0 or 1 or 2:
                    Launch(argument);
                    break;
                case 3 when chosen is { Started: false }:
                    // Sometimes the router asks for less than is cached.
                    Start(chosen, argument % 4 == 0 ? chosen.CachedPrefix / 32 * 16 : chosen.CachedPrefix);
                    break;
                case 4 when chosen is not null && argument % 3 == 0:
                    _loop.Cancel(chosen.Request.Session, First);
                    Assert.True(chosen.Sink.Finished.IsCompleted);
                    break;
                case 5 when chosen is not null:
                    _loop.Acknowledge(chosen.Request.Session, First, chosen.Request.PromptTokenIds.Length + (argument % 40));
                    break;
                case 6:
                    _now += TimeSpan.FromSeconds(argument % 4 == 0 ? 25 : 1);
                    open.ForEach(session => _loop.RenewLease(session.Request.Session, argument % 7 == 0 ? TimeSpan.Zero : _now));
                    _loop.Expire(_now);
                    break;
                default:
                    for (var i = 0; i < 1 + (argument % 12); i++)
                    {
                        Acknowledge();
                        _loop.Step(TimeSpan.Zero);
                    }

                    break;
            }
        }

        private void Launch(int argument)
        {
            // Prompts from two sources that part at few places; an answer continues a prompt of the same source.
            var longest = Math.Min(_loop.Cache.LongestSequence, 200);
            var prompt = Prompt(1 + (argument % (longest - 8)), seed: argument / 3 % 2);
            for (var i = argument / 7 % 5 * 20; i < prompt.Length && argument % 5 != 0; i++)
            {
                prompt[i] = (prompt[i] + (argument % 3)) % 61;
            }

            var request = Request(prompt, 1 + (argument / 11 % Math.Min(60, longest - prompt.Length + 1))) with
            {
                Client = $"{argument % 3}",
                CacheSalt = argument % 6 == 0 ? "own" : "",
            };
            var session = new Session(request) { Acknowledges = argument % 9 != 0 };
            var result = _loop.Open(request, session.Sink, _now);
            if (result.Refusal is null)
            {
                session.CachedPrefix = result.CachedPrefix;
                _all.Add(session);
                if (argument % 4 != 0)
                {
                    Start(session, result.CachedPrefix);
                }
            }
            else
            {
                Assert.Equal(OpenRefusal.Busy, result.Refusal);
            }
        }

        private void Start(Session session, int keep)
        {
            _loop.Start(session.Request.Session, First, keep);
            session.Started = true;
        }

        private void Acknowledge()
        {
            foreach (var session in Open.Where(session => session.Acknowledges))
            {
                _loop.Acknowledge(session.Request.Session, First, session.Request.PromptTokenIds.Length + session.Sink.Tokens.Length);
            }
        }

        private void Settle()
        {
            foreach (var session in Open)
            {
                session.Acknowledges = true;
                if (!session.Started)
                {
                    Start(session, session.CachedPrefix);
                }
            }

            for (var steps = 0; Open.Count > 0; steps++)
            {
                Assert.True(steps < 20_000, $"{Open.Count} sessions never end");
                Acknowledge();
                _loop.Step(TimeSpan.Zero);
            }

            _loop.CheckEmpty();
            foreach (var session in _all)
            {
                var prompt = session.Request.PromptTokenIds.AsSpan();
                var expected = FakeShard.Generate(_windows, prompt, session.Request.Sampling.MaxTokens);
                var end = session.Sink.End();
                var tokens = session.Sink.Tokens;
                Assert.Equal(tokens.Length, end.GeneratedTokens);
                Assert.Equal(expected[..tokens.Length], tokens);
                Assert.True(end.Reason == FinishReason.Cancelled || (end.Reason == FinishReason.Length && tokens.Length == expected.Length), $"{end}");
                Assert.InRange(end.CachedTokens, 0, end.PromptTokens - 1);
            }
        }

        private sealed class Session(OpenRequest request)
        {
            public OpenRequest Request { get; } = request;

            public RecordingSink Sink { get; } = new();

            public int CachedPrefix { get; set; }

            public bool Started { get; set; }

            public bool Acknowledges { get; set; }
        }
    }
}
