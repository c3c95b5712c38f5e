using System.Net;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

/// <summary>Places on a path are held while a request runs, and given back on every way in which it can end.</summary>
public class ReservationTests
{
    private static readonly string Text = new('x', 60);

    [Fact]
    public async Task Completed()
    {
        await using var cluster = await StartAsync();

        using var response = await cluster.PostAsync("\"stream\": true, \"n\": 2");
        await Eventually.TrueAsync(() => cluster.ReservedPlaces == 4);
        cluster.Members[0].Engine.Release();
        await response.StreamAsync();

        await FreeAsync(cluster);
    }

    [Fact]
    public async Task FailedAtAStage()
    {
        var tail = PathCluster.Holding(10, 30);
        tail.Answer = static _ => [];
        tail.FailWith = "NaN";
        await using var cluster = await PathCluster.StartAsync(null, PathCluster.Head(10, Text), tail);
        await cluster.WhenReadyAsync(HttpStatusCode.OK);

        using var response = await cluster.PostAsync("");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        await FreeAsync(cluster);
    }

    [Fact]
    public async Task RefusedByAStage()
    {
        await using var cluster = await StartAsync();
        cluster.Members[1].Engine.Refuse = static _ => new OpenResult(0, OpenRefusal.Busy, "full");

        using var response = await cluster.PostAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        await FreeAsync(cluster);
    }

    [Fact]
    public async Task ClientGoneInMidAnswer()
    {
        await using var cluster = await StartAsync();
        var response = await cluster.PostAsync();
        cluster.Members[0].Engine.EmitAll(1);
        await using (var live = new LiveAnswer(response))
        {
            await live.ReadUntilAsync("x");
            Assert.Equal(2, cluster.ReservedPlaces);
        }

        await FreeAsync(cluster);
    }

    [Fact]
    public async Task WorkerGoneForGood()
    {
        await using var cluster = await StartAsync(new WorkerLinkOptions { GiveUpAfter = TimeSpan.FromMilliseconds(300) }, TimeSpan.FromSeconds(2));
        var response = await cluster.PostAsync();
        cluster.Members[0].Engine.EmitAll(1);

        cluster.Members[1].Cut();
        await response.StreamAsync();

        await FreeAsync(cluster);
    }

    /// <summary>One place, two requests: the second waits for the first, and a third hangs up while it waits.</summary>
    [Fact]
    public async Task ClientGoneBeforeThereWasRoom()
    {
        var small = new ScriptedEngine
        {
            Info = new ScriptedEngine().Info with { Range = new(0, 30), MaxSessions = 1 },
            Manual = true,
            Answer = static _ => [.. Text.Select(static c => (int)c), ByteTokenizer.End],
        };
        await using var cluster = await PathCluster.StartAsync(null, small);
        await cluster.WhenReadyAsync(HttpStatusCode.OK);
        var first = cluster.PostAsync();
        await Eventually.TrueAsync(() => cluster.ReservedPlaces == 1 && small.Opened.Count == 1); // the one is before the other
        var second = cluster.PostAsync();
        await cluster.WhenAdmittedAsync(2);
        using (var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cluster.PostUntilAsync(impatient.Token));
        }

        await cluster.WhenAdmittedAsync(2); // the router has noticed who is gone
        Assert.Equal(1, cluster.ReservedPlaces);
        Assert.Single(small.Opened);
        small.Release();

        Assert.Equal(Text, (await (await first).StreamAsync()).Text());
        Assert.Equal(Text, (await (await second).StreamAsync()).Text());
        Assert.Equal(2, small.Opened.Count);
        await FreeAsync(cluster);
    }

    private static async Task<PathCluster> StartAsync(WorkerLinkOptions? link = null, TimeSpan? requestTime = null)
    {
        var cluster = await PathCluster.StartAsync(link, requestTime, PathCluster.Head(10, Text), PathCluster.Holding(10, 30));
        await cluster.WhenReadyAsync(HttpStatusCode.OK);
        return cluster;
    }

    private static Task FreeAsync(PathCluster cluster) => Eventually.TrueAsync(() => cluster.ReservedPlaces == 0);
}
