using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Tokens;
using Parallax.IntegrationTests.Swarm;
using Parallax.KvBlocks;
using Parallax.KvCache;
using Parallax.KvClient;
using Parallax.KvClient.Instances;
using Parallax.Swarm.Joining;
using Parallax.Swarm.Members;
using Parallax.Testing.Members;

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

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);

    private readonly DirectoryInfo _root;
    private readonly MemberApp _founder;
    private readonly MemberApp _member;
    private readonly List<MemberProcess> _processes = [];
    private readonly List<IDisposable> _owned = [];

    private KvSwarm(DirectoryInfo root, MemberApp founder, MemberApp member)
    {
        (_root, _founder, _member) = (root, founder, member);
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

    public string Said => string.Join('\n', _processes.Select(static process => process.Said));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<KvSwarm> FoundAsync()
    {
        var root = Directory.CreateTempSubdirectory("parallax-kv-swarm-");
        var founder = await MemberApp.FoundAsync(
            new FoundSwarm(new IPEndPoint(IPAddress.Loopback, 0))
            {
                State = Path.Combine(root.FullName, "founder"),
                Tokens = [.. new[] { MemberRoles.Worker, MemberRoles.Router, MemberRoles.KvCache }.Select(role => new TokenFile(role, TokenPath(root, role)))],
            },
            Token);
        try
        {
            return new KvSwarm(root, founder, await JoinAsync(root, founder, "client", MemberRoles.Worker));
        }
        catch
        {
            await founder.DisposeAsync();
            throw;
        }
    }

    /// <summary>An instance; the same name again is the same one, with the same folder. Returns when it serves.</summary>
    public async Task<MemberProcess> StartAsync(string name, string? folder = null, params string[] options)
    {
        var state = Path.Combine(_root.FullName, name);
        using var patience = Patience.Begin();
        while (true)
        {
            var process = new MemberProcess(
                name,
                state,
                [],
                [
                    "kvcache", "--join", _founder.Address.Authority, "--token-file", TokenPath(_root, MemberRoles.KvCache), "--state", state,
                    "--memory", "64MiB", "--folder", folder ?? state + "-blocks", "--disk", "256MiB", .. options,
                ],
                Token);
            _processes.Add(process);
            try
            {
                await process.LineAsync("kvcache listens on ");
                return process;
            }
            catch (InvalidOperationException) when (!patience.IsCancellationRequested && IsTooSlow(process.Said))
            {
                // On a busy machine joining may take longer than there is time for it: whoever looks after a member starts it again.
            }
        }
    }

    /// <summary>An instance in this process, without a disk, whose record ends soon when it is disposed of and has said no goodbye.</summary>
    public async Task<KvCacheInstance> HostAsync(string name) => await KvCacheInstance.StartAsync(
        new KvCacheOptions { MemoryBytes = 64 << 20, Lease = TimeSpan.FromSeconds(12), PollEvery = TimeSpan.FromSeconds(0.5) },
        await SettingsAsync(_root, _founder, name, MemberRoles.KvCache),
        Token);

    /// <summary>Waits until this process knows of these instances and no others.</summary>
    public Task KnownAsync(params MemberProcess[] instances)
    {
        var ids = instances.Select(static instance => instance.Id).Order(StringComparer.Ordinal).ToList();
        return UntilAsync(
            $"{instances.Length} instances are known",
            () => Task.FromResult(ids.SequenceEqual(Instances.Current.Select(static one => one.Id.ToString()))));
    }

    /// <summary>Waits until a condition holds.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        using var patience = Patience.Begin();
        while (!await isSo())
        {
            if (patience.IsCancellationRequested)
            {
                Assert.Fail($"it never came to be that {what}\n{Said}");
            }

            await Task.Delay(PollEvery, Token);
        }
    }

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

    /// <summary>A further member.</summary>
    public Task<MemberApp> JoinAsync(string name, MemberRoles role) => JoinAsync(_root, _founder, name, role);

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
        TestContext.Current.TestOutputHelper?.WriteLine(Said);
        _owned.ForEach(static one => one.Dispose());
        await Instances.DisposeAsync();
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await _member.DisposeAsync();
        await _founder.DisposeAsync();
        _root.Delete(recursive: true);
    }

    private static bool IsTooSlow(string said) =>
        said.Contains("No member of the swarm can reach this one", StringComparison.Ordinal) || said.Contains("No answer from", StringComparison.Ordinal);

    private static string TokenPath(DirectoryInfo root, MemberRoles role) => Path.Combine(root.FullName, $"token-{role}");

    private static async Task<MemberApp> JoinAsync(DirectoryInfo root, MemberApp founder, string name, MemberRoles role) =>
        await MemberApp.StartAsync(await SettingsAsync(root, founder, name, role), add: null, map: null, Token);

    private static async Task<JoinSwarm> SettingsAsync(DirectoryInfo root, MemberApp founder, string name, MemberRoles role) => new(founder.Address)
    {
        Token = JoinToken.Parse((await File.ReadAllTextAsync(TokenPath(root, role), Token)).Trim()),
        State = Path.Combine(root.FullName, name),
    };

    private KvCacheClient NewClient(IKvInstances instances)
    {
        var client = new KvCacheClient(
            instances, Credentials, new KvClientOptions { Patience = TimeSpan.FromSeconds(20), LookupTime = TimeSpan.FromSeconds(20), TransferTime = TimeSpan.FromSeconds(60) }, TimeProvider.System, NullLogger<KvCacheClient>.Instance);
        _owned.Add(client);
        return client;
    }
}
