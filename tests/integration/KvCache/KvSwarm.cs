using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Tokens;
using Parallax.IntegrationTests.Swarm;
using Parallax.KvBlocks;
using Parallax.KvClient;
using Parallax.KvClient.Instances;
using Parallax.Swarm.Joining;
using Parallax.Swarm.Members;

namespace Parallax.IntegrationTests.KvCache;

/// <summary>
/// A swarm with instances of the KV cache, each a process, and this process as a worker that uses them. Blocks are numbered, and a
/// part's bytes follow from its block and layer.
/// </summary>
internal sealed class KvSwarm : IAsyncDisposable
{
    public const int PartBytes = 100_000;
    public const int Layers = 4;

    public static readonly TenantId Alice = TenantId.Of("alice");
    public static readonly TenantId Bob = TenantId.Of("bob");

    private readonly SwarmProcesses _processes;
    private readonly MemberApp _member;
    private readonly List<IDisposable> _owned = [];

    private KvSwarm(SwarmProcesses processes, MemberApp member)
    {
        (_processes, _member) = (processes, member);
        Instances = new OverlayInstances(
            member.Member.Overlay, member.Credentials, TimeSpan.FromMilliseconds(250), TimeProvider.System, NullLogger<OverlayInstances>.Instance);
        Instances.Start();
        Client = NewClient(Instances);
    }

    /// <summary>The instances that this process found in the overlay.</summary>
    public OverlayInstances Instances { get; }

    public KvCacheClient Client { get; }

    /// <summary>Credentials of a worker.</summary>
    public SwarmCredentials Credentials => _member.Credentials;

    public string Said => _processes.Said;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<KvSwarm> FoundAsync()
    {
        var processes = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, ["--memory", "4MiB"]);
        try
        {
            return new KvSwarm(processes, await JoinAsync(processes, "client", MemberRoles.Worker));
        }
        catch
        {
            await processes.DisposeAsync();
            throw;
        }
    }

    /// <summary>An instance; the same name again is the same one, with the same folder. Returns when it serves.</summary>
    public async Task<MemberProcess> StartAsync(string name, string? folder = null, params string[] options)
    {
        var process = _processes.Start(
            name,
            name,
            [
                "kvcache", "--join", _processes.FounderAddress, "--token", await _processes.TokenAsync(MemberRoles.KvCache),
                "--memory", "64MiB", "--folder", folder ?? _processes.StateOf(name) + "-blocks", "--disk", "256MiB", .. options,
            ]);
        await process.LineAsync("kvcache listens on ");
        return process;
    }

    /// <summary>Waits until this process knows of these instances and no others.</summary>
    public Task KnownAsync(params MemberProcess[] instances)
    {
        var ids = instances.Select(static instance => instance.Id).Order(StringComparer.Ordinal).ToList();
        return _processes.UntilAsync(
            $"{instances.Length} instances are known",
            () => Task.FromResult(ids.SequenceEqual(Instances.Current.Select(static one => one.Id.ToString()))));
    }

    public Task UntilAsync(string what, Func<Task<bool>> isSo) => _processes.UntilAsync(what, isSo);

    /// <summary>A client of one instance alone.</summary>
    public KvCacheClient Only(MemberProcess instance)
    {
        Assert.True(PeerId.TryParse(instance.Id, out var id));
        var list = new InstanceList();
        list.Set([new KvInstance(id, new Uri($"https://{instance.Address}"))]);
        return NewClient(list);
    }

    public async Task<KvStatReply> StatAsync(MemberProcess instance)
    {
        Assert.True(PeerId.TryParse(instance.Id, out var id));
        using var channel = MemberChannels.Open(Credentials, new Uri($"https://{instance.Address}"), id);
        return await new Contracts.V1.KvCache.KvCacheClient(channel).StatAsync(new KvStatRequest(), cancellationToken: Token);
    }

    /// <summary>A member with other roles.</summary>
    public async Task<MemberApp> JoinAsync(string name, MemberRoles roles)
    {
        return await JoinAsync(_processes, name, roles);
    }

    public static UInt128 HashOf(int block) => ((UInt128)0xABCD << 100) | (uint)block;

    public static PartAddress[] AddressesOf(int block) => [.. Enumerable.Range(0, Layers).Select(layer => new PartAddress(HashOf(block), PartKind.Kv, layer))];

    public static byte[] BytesOf(PartAddress address)
    {
        var bytes = new byte[PartBytes];
        new Random(((int)(uint)address.Hash * 31) + address.Layer).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Puts whole blocks.</summary>
    public static Task<PutOutcome> PutAsync(KvCacheClient client, TenantId tenant, int first, int count) => client.PutAsync(
        tenant,
        [
            .. Enumerable.Range(first, count).SelectMany(AddressesOf).Select(static address =>
                new PartToPut(address, BytesOf(address), HashOf((int)(uint)address.Hash - 1))),
        ],
        Token);

    /// <summary>Fetches blocks; how many parts came. What comes is what was put.</summary>
    public static async Task<int> GetAsync(KvCacheClient client, TenantId tenant, int first, int count)
    {
        PartAddress[] addresses = [.. Enumerable.Range(first, count).SelectMany(AddressesOf)];
        using var parts = await client.GetAsync(tenant, addresses, Token);
        for (var i = 0; i < addresses.Length; i++)
        {
            Assert.True(parts[i] is not { } bytes || bytes.Span.SequenceEqual(BytesOf(addresses[i])), $"part {addresses[i]} is another one than was put");
        }

        return parts.Found;
    }

    /// <summary>How many leading blocks are whole.</summary>
    public static async Task<int> LeadingAsync(KvCacheClient client, TenantId tenant, int first, int count) => (await client.LookupAsync(
        tenant, Enumerable.Range(first, count).Select(HashOf).ToArray(), new ChainQuery(0, Layers, false), Token)).Leading;

    public async ValueTask DisposeAsync()
    {
        _owned.ForEach(static one => one.Dispose());
        await Instances.DisposeAsync();
        await _member.DisposeAsync();
        await _processes.DisposeAsync();
    }

    private static async Task<MemberApp> JoinAsync(SwarmProcesses processes, string name, MemberRoles roles) => await MemberApp.StartAsync(
        new JoinSwarm(new Uri($"https://{processes.FounderAddress}"))
        {
            Token = JoinToken.Parse(await processes.TokenAsync(roles)),
            State = processes.StateOf(name),
        },
        add: null,
        map: null,
        Token);

    private KvCacheClient NewClient(IKvInstances instances)
    {
        var client = new KvCacheClient(
            instances, Credentials, new KvClientOptions { Patience = TimeSpan.FromSeconds(20), LookupTime = TimeSpan.FromSeconds(20), TransferTime = TimeSpan.FromSeconds(60) }, TimeProvider.System, NullLogger<KvCacheClient>.Instance);
        _owned.Add(client);
        return client;
    }
}
