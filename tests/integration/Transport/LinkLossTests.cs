using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.IntegrationTests.Transport;

/// <summary>What a handler hears of a neighbour that is lost.</summary>
public sealed class LinkLossTests
{
    [Fact]
    public async Task OnUnreachable_PeerGone_OnceAndAgainOnlyAfterItHasBeenUp()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        await using var proxy = new FaultyProxy(server.Address.Port);
        client.Hub.Connect("b", proxy.Address);
        await client.UpAsync();
        for (var round = 0; round < 2; round++)
        {
            proxy.IsDown = true;
            var down = await client.DownAsync();
            Assert.NotEqual("", await client.UnreachableAsync());
            Assert.Equal(0, down.Link.Generation);

            // Many attempts later it has still been said once.
            await WaitForAsync(() => proxy.Refused > 5);
            Assert.Equal(0, client.Unreachables.Reader.Count);
            proxy.IsDown = false;
            await client.UpAsync();
        }

        Assert.Equal(0, server.Unreachables.Reader.Count); // it does not dial
    }

    [Fact]
    public async Task OnUnreachable_LinkCutThatComesBackAtOnce_IsNotCalled()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a", static options => options.RedialTimeout = TimeSpan.FromMinutes(1)); // late is not unreachable
        await using var proxy = new FaultyProxy(server.Address.Port);
        client.Hub.Connect("b", proxy.Address);
        await client.UpAsync();
        for (var i = 0; i < 5; i++)
        {
            proxy.Cut();
            await client.DownAsync();
            await client.UpAsync();
        }

        Assert.Equal(0, client.Unreachables.Reader.Count);
    }

    [Fact]
    public async Task OnUnreachable_PeerSilent_IsCalledWhenItIsDeadWithoutAnotherAttempt()
    {
        // Longer than the test: an attempt to dial would not end before.
        await using var server = await LinkPeer.StartAsync("b", Beat);
        await using var client = await LinkPeer.StartAsync("a", Beat);
        await using var proxy = new FaultyProxy(server.Address.Port);
        client.Hub.Connect("b", proxy.Address);
        var up = await client.UpAsync();
        proxy.Freeze();

        Assert.Contains("nothing", await client.UnreachableAsync(), StringComparison.Ordinal);

        var down = await client.DownAsync();
        Assert.Equal((up.Generation, LinkDownReason.Dead), (down.Generation, down.Reason));
        Assert.Contains(PeerLiveness.Dead, client.Liveness);

        // What was silent has a connection that may never work again: the next attempt makes another.
        proxy.Cut();
        proxy.Thaw();
        client.Hub.Connect("b", proxy.Address);
        Assert.True((await client.UpAsync()).Generation > up.Generation);

        static void Beat(LinkOptions options)
        {
            options.HeartbeatPeriod = TimeSpan.FromMilliseconds(100);
            options.RedialTimeout = options.ConnectTimeout = TimeSpan.FromMinutes(10);
        }
    }

    [Fact]
    public async Task OnUnreachable_HandlerThrows_TheLinkGoesOn()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        await using var proxy = new FaultyProxy(server.Address.Port);
        client.UnreachableHandler = static () => throw new InvalidCastException("a bug above the link");
        client.Hub.Connect("b", proxy.Address);
        await client.UpAsync();

        proxy.IsDown = true;
        await client.UnreachableAsync();
        proxy.IsDown = false;

        await client.UpAsync();
    }

    [Fact]
    public async Task Connect_AgainWithAnotherAddress_DialsThere()
    {
        await using var old = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        client.Hub.Connect("b", old.Address);
        var before = await client.UpAsync();
        await old.DisposeAsync();
        await client.UnreachableAsync();

        // The peer starts anew, on another port.
        await using var restarted = await LinkPeer.StartAsync("b", static options => options.Incarnation = 2);
        Assert.Same(before.Link, client.Hub.Connect("b", restarted.Address));

        Assert.True((await client.UpAsync()).Generation > before.Generation);
        Assert.Equal(2, before.Link.PeerIncarnation);
    }

    [Fact]
    public async Task Connect_PeerThatWasGivenUpConnectsItself_TheLinkIsUpAndWatched()
    {
        await using var b = await LinkPeer.StartAsync("b");
        await using var a = await LinkPeer.StartAsync("a", static options => (options.BreakAfter, options.BreakDuration) = (2, TimeSpan.FromHours(1)));
        await using var toB = new FaultyProxy(b.Address.Port) { IsDown = true };
        await using var toA = new FaultyProxy(a.Address.Port);
        a.Hub.Connect("b", toB.Address);
        await WaitForAsync(() => toB.Refused >= 2);

        b.Hub.Connect("a", toA.Address);
        await a.UpAsync();
        toB.IsDown = false;
        toA.IsDown = true;

        // It dials as soon as that connection is gone, and not when the break of an hour is over.
        await a.DownAsync();
        await a.UpAsync();
        Assert.True(a.Hub.Find("b")!.Current!.Dialled);
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
