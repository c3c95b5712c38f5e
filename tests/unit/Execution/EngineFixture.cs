using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Testing;

namespace Parallax.UnitTests.Execution;

/// <summary>Short ways to open and drive sessions on a loop without its thread.</summary>
internal static class EngineFixture
{
    public static readonly Epoch First = new(1, Guid.Empty, 0);

    public static readonly Epoch Second = new(1, Guid.Empty, 1);

    public static readonly ExecutorOptions Options = new() { MaxBatch = 4, TokenBudget = 64, MixedPrefillTokens = 16, MaxSessions = 32 };

    public static int[] Prompt(int length, int seed = 0) => [.. Enumerable.Range(0, length).Select(i => (i + (seed * 31) + (i * seed)) % 61)];

    public static OpenRequest Request(int[] prompt, int maxTokens, SessionId? id = null, int stopId = -1) => new()
    {
        Session = id ?? SessionId.New(),
        Epoch = First,
        PromptTokenIds = ImmutableArray.Create(prompt),
        Sampling = new SamplingParameters { MaxTokens = maxTokens, Temperature = 0, StopTokenIds = stopId < 0 ? [] : [stopId] },
    };

    /// <summary>Opens and starts a session; its tokens are acknowledged at once.</summary>
    public static (OpenRequest Request, RecordingSink Sink) Launch(
        this EngineLoop loop, int[] prompt, int maxTokens, string client = "", int stopId = -1, bool acknowledge = true)
    {
        var request = Request(prompt, maxTokens, stopId: stopId) with { Client = client };
        var sink = new RecordingSink
        {
            Token = token =>
            {
                if (acknowledge)
                {
                    loop.Acknowledge(token.Session, token.Epoch, prompt.Length + token.Index + 1);
                }
            },
        };
        var opened = loop.Open(request, sink, TimeSpan.Zero);
        Assert.True(opened.Refusal is null, opened.Message);
        loop.Start(request.Session, First, opened.CachedPrefix);
        return (request, sink);
    }

    /// <summary>Steps until nothing can be computed.</summary>
    public static int RunToEnd(this EngineLoop loop, int limit = 100_000)
    {
        var steps = 0;
        while (loop.Step(TimeSpan.Zero))
        {
            Assert.True(++steps < limit, $"still running after {limit} steps");
        }

        return steps;
    }

    /// <summary>The end of a session that must have ended by now.</summary>
    public static SessionEnd End(this RecordingSink sink)
    {
        Assert.True(sink.Finished.IsCompletedSuccessfully, "the session has not ended");
        return sink.Finished.Result;
    }

    /// <summary>No session, no held block, sound accounting.</summary>
    public static void CheckEmpty(this EngineLoop loop)
    {
        Assert.Equal(0, loop.SessionCount);
        Assert.Equal(0, loop.Cache.UsedBlocks);
        loop.CheckCache();
    }

    public static void CheckCache(this EngineLoop loop)
    {
        loop.Cache.Prefixes.CheckInvariants();
        for (var g = 0; g < loop.Cache.GroupCount; g++)
        {
            loop.Cache.Pool(g).CheckInvariants();
        }
    }
}
