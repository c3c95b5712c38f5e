using System.Diagnostics;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.IntegrationTests.Swarm;
using Parallax.KvClient.Protocol;
using Parallax.Swarm.Members;
using static Parallax.IntegrationTests.KvCache.KvSwarm;

namespace Parallax.IntegrationTests.KvCache;

/// <summary>One instance, a real process: what was put is had back, whatever happens to it.</summary>
[Collection(SwarmCollection.Name)]
public sealed class InstanceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parts_AreHadBack_ByTheirTenantAndByWorkersOnly()
    {
        await using var swarm = await FoundAsync();
        Assert.False(swarm.Client.IsAvailable);
        Assert.Equal(0, await GetAsync(swarm.Client, Alice, 1, 1)); // nobody is there, and nobody waits

        var instance = await swarm.StartAsync("cache");
        await swarm.KnownAsync(instance);
        var put = await PutAsync(swarm.Client, Alice, 1, 20);
        Assert.Equal((80, 80, 0), (put.Copies, put.Sent, put.Missed));
        var again = await PutAsync(swarm.Client, Alice, 1, 20);
        Assert.Equal((80, 0, 0), (again.Copies, again.Sent, again.Missed));

        Assert.Equal(80, await GetAsync(swarm.Client, Alice, 1, 20));
        Assert.Equal(20, await LeadingAsync(swarm.Client, Alice, 1, 25));
        Assert.Equal(0, await GetAsync(swarm.Client, Bob, 1, 20));
        Assert.Equal(0, await LeadingAsync(swarm.Client, Bob, 1, 20));

        await using var router = await swarm.JoinAsync("router", MemberRoles.Router);
        using var channel = MemberChannels.Open(router.Credentials, new Uri($"https://{instance.Address}"), expected: null);
        var client = new Contracts.V1.KvCache.KvCacheClient(channel);
        var question = new KvLookupRequest { Tenant = PartCodec.WriteHash(Alice.Value), LayerEnd = 1, Chain = { PartCodec.WriteHash(HashOf(1)) } };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.LookupAsync(question, cancellationToken: Token));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Equal(80, (await client.StatAsync(new KvStatRequest(), cancellationToken: Token)).Parts);
    }

    [Fact]
    public async Task Messages_ThatMakeNoSense_AreRefused()
    {
        await using var swarm = await FoundAsync();
        var instance = await swarm.StartAsync("cache");
        using var channel = MemberChannels.Open(swarm.Credentials, new Uri($"https://{instance.Address}"), expected: null);
        var client = new Contracts.V1.KvCache.KvCacheClient(channel);

        await RefusedAsync(new KvPutRequest());
        await RefusedAsync(new KvPutRequest { Reserve = new KvReserve { LeaseMs = 1000 } });
        await RefusedAsync(new KvPutRequest { Reserve = new KvReserve { Tenant = PartCodec.WriteHash(1), LeaseMs = 61_000 } });
        await RefusedAsync(new KvPutRequest { Part = new KvPart() });
        await RefusedAsync(new KvPutRequest
        {
            Reserve = new KvReserve
            {
                Tenant = PartCodec.WriteHash(1),
                LeaseMs = 1000,
                Claims = { Enumerable.Range(0, 5000).Select(static _ => new KvClaim { Address = PartCodec.WriteAddress(AddressesOf(1)[0]), Length = 1 }) },
            },
        });
        var none = await Assert.ThrowsAsync<RpcException>(async () => await client.LookupAsync(new KvLookupRequest { Tenant = PartCodec.WriteHash(1) }, cancellationToken: Token));
        Assert.Equal(StatusCode.InvalidArgument, none.StatusCode);
        Assert.Equal(0, (await swarm.StatAsync(instance)).Parts);

        async Task RefusedAsync(KvPutRequest message)
        {
            using var call = client.Put(cancellationToken: Token);
            await call.RequestStream.WriteAsync(message, Token);
            var problem = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Token));
            Assert.True(problem.StatusCode is StatusCode.InvalidArgument, $"{problem.Status}");
        }
    }

    [Fact]
    public async Task Killed_WhileBlocksArePut_ItFindsThemAgain()
    {
        await using var swarm = await FoundAsync();
        var instance = await swarm.StartAsync("cache");
        await swarm.KnownAsync(instance);
        using var ended = new CancellationTokenSource();
        var putting = Task.Run(
            async () =>
            {
                for (var block = 1; !ended.IsCancellationRequested && block < 400; block++)
                {
                    await PutAsync(swarm.Client, Alice, block, 1);
                }
            },
            Token);
        KvStatReply stat;
        do
        {
            stat = await swarm.StatAsync(instance);
        }
        while (stat.Written < 100 && !putting.IsCompleted);

        var arrivals = swarm.Client.Arrivals;
        await instance.KillAsync();
        await ended.CancelAsync();
        await putting;
        Assert.Equal(0, await GetAsync(swarm.Client, Alice, 1, 1)); // gone, and nobody waits for long

        var restarted = await swarm.StartAsync("cache");
        await swarm.UntilAsync("the restarted instance is used", async () => await LeadingAsync(swarm.Client, Alice, 1, 1) == 1);
        var found = await GetAsync(swarm.Client, Alice, 1, 400);
        Assert.True(swarm.Client.Arrivals > arrivals); // it might have come back with nothing
        Assert.True(found >= 100, $"{found} parts were found of {stat.Written} that were on disk\n{swarm.Said}");
        Assert.Equal(0, (await swarm.StatAsync(restarted)).Corrupt);
        Assert.True((await PutAsync(swarm.Client, Alice, 500, 10)).Missed == 0);
    }

    [Fact]
    public async Task Stopped_InOrder_ItHasAllOfThemAgain()
    {
        await using var swarm = await FoundAsync();
        var instance = await swarm.StartAsync("cache");
        await swarm.KnownAsync(instance);
        Assert.Equal(0, (await PutAsync(swarm.Client, Alice, 1, 50)).Missed);
        await instance.SignalAsync("-TERM");
        Assert.Equal(0, await instance.ExitCodeAsync());

        await swarm.StartAsync("cache");
        await swarm.UntilAsync("all blocks are there", async () => await LeadingAsync(swarm.Client, Alice, 1, 50) == 50);
        Assert.Equal(200, await GetAsync(swarm.Client, Alice, 1, 50));
    }

    [Fact]
    public async Task Disk_ThatIsFull_LeavesTheMemory()
    {
        await using var swarm = await FoundAsync();
        var folder = Directory.CreateTempSubdirectory("parallax-kv-full-").FullName;
        if (!await CommandAsync("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder))
        {
            Directory.Delete(folder);
            Assert.Skip("a small file system can be mounted by root only");
        }

        try
        {
            var instance = await swarm.StartAsync("cache", folder);
            await swarm.KnownAsync(instance);
            Assert.Equal(0, (await PutAsync(swarm.Client, Alice, 1, 20)).Missed); // 8 MB

            await swarm.UntilAsync("it says that the disk is full", async () => (await swarm.StatAsync(instance)).DiskProblem.Length > 0);
            Assert.Equal(80, await GetAsync(swarm.Client, Alice, 1, 20));
            Assert.Equal(0, (await PutAsync(swarm.Client, Alice, 21, 20)).Missed);
            Assert.Equal(160, await GetAsync(swarm.Client, Alice, 1, 40));

            await instance.KillAsync();
            var restarted = await swarm.StartAsync("cache", folder);
            await swarm.UntilAsync("the restarted instance is used", async () => await LeadingAsync(swarm.Client, Alice, 1, 1) == 1);
            Assert.InRange(await GetAsync(swarm.Client, Alice, 1, 40), 15, 31);
            await restarted.KillAsync();
        }
        finally
        {
            Assert.True(await CommandAsync("umount", "-l", folder));
            Directory.Delete(folder);
        }
    }

    private static async Task<bool> CommandAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        _ = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return process.ExitCode == 0;
    }
}
