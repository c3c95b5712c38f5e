using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Identity;
using Parallax.Worker.Gpu;

namespace Parallax.IntegrationTests.Identity;

/// <summary>What a member's port lets through, and what it does not.</summary>
public sealed class SwarmPortTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none", "shows no certificate")]
    [InlineData("other swarm", "not of this swarm")]
    [InlineData("self-made", "not of this swarm")]
    [InlineData("expired", "expired")]
    [InlineData("revoked", "revoked")]
    public async Task Call_WithoutAMembersCertificate_IsRefusedWhateverItIs(string who, string said)
    {
        using var swarm = await TestSwarm.FoundAsync();
        using var other = await TestSwarm.FoundAsync();
        var credentials = swarm.Member(MemberRolesText.All);
        await using var node = await SwarmNode.StartAsync(credentials, swarm.Clock);
        using var certificate = await CertificateAsync(who, swarm, other, credentials);
        using var caller = Caller.Stranger(node.Address, certificate);

        foreach (var (name, call) in caller.Everything())
        {
            var refused = await Assert.ThrowsAsync<RpcException>(call);
            Assert.True(refused.StatusCode == StatusCode.Unauthenticated, $"{name}: {refused.Status}");
            Assert.Contains(said, refused.Status.Detail, StringComparison.Ordinal);
        }

        Assert.Empty(node.Engine.Opened);
        Assert.Empty(node.Links.Links);
        Assert.True(node.Log.Has("Warning", "Refused /parallax.v1.Worker/GetInfo", "127.0.0.1", said), string.Join('\n', node.Log.Lines));
    }

    [Fact]
    public async Task Call_ByAMember_IsAllowedByRole()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await SwarmNode.StartAsync(swarm.Member(MemberRolesText.All), swarm.Clock);
        using var plain = Caller.Member(swarm.Member(MemberRoles.None), node.Address);
        using var worker = Caller.Member(swarm.Member(MemberRoles.Worker), node.Address);
        using var router = Caller.Member(swarm.Member(MemberRoles.Router), node.Address);
        using var scheduler = Caller.Member(swarm.Member(MemberRoles.Scheduler), node.Address);

        Assert.Equal(node.Credentials.Self.ToString(), (await plain.Worker.GetInfoAsync(new GetInfoRequest(), cancellationToken: Token)).WorkerId);
        Assert.Equal("parallax.v1.Worker/Control is for router", await DeniedAsync(worker, "Control"));
        Assert.Equal("parallax.transport.v1.Links/Frames is for worker", await DeniedAsync(router, "Frames"));
        Assert.Equal("parallax.transport.v1.Links/Heartbeats is for worker", await DeniedAsync(scheduler, "Heartbeats"));
        Assert.Equal("parallax.v1.Worker/LoadShard is for scheduler or admin", await DeniedAsync(worker, "LoadShard"));
        Assert.Equal("parallax.v1.Worker/UnloadShard is for scheduler or admin", await DeniedAsync(router, "UnloadShard"));
        Assert.Equal("parallax.v1.Swarm/Leave is for scheduler or admin", await DeniedAsync(worker, "Swarm.Leave"));
        Assert.Equal("there is no such call for members.", await DeniedAsync(scheduler, "no such call"));
        using var control = router.Worker.Control(cancellationToken: Token);
        await control.RequestStream.WriteAsync(new RouterMessage { Hello = new Hello { RouterHigh = 1, RouterLow = 2 } }, Token);
        Assert.True(await control.ResponseStream.MoveNext(Token));
        Assert.Equal(WorkerMessage.MessageOneofCase.Welcome, control.ResponseStream.Current.MessageCase);
    }

    [Fact]
    public async Task ClearText_ToTheSwarmsPort_GetsNoAnswer()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await SwarmNode.StartAsync(swarm.Member(MemberRolesText.All), swarm.Clock);
        byte[][] openings =
        [
            [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0],
            [.. Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
            new byte[4096],
        ];
        foreach (var opening in openings)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, node.Address.Port, Token);
            await client.GetStream().WriteAsync(opening, Token);
            var answer = new MemoryStream();
            try
            {
                await client.GetStream().CopyToAsync(answer, Token);
            }
            catch (IOException)
            {
                // Reset: that is an end, too.
            }

            // At most a TLS alert: content type 21, version 3.x.
            Assert.True(answer.Length <= 7, Convert.ToHexString(answer.ToArray()));
            Assert.All(answer.ToArray().Take(2).Zip<byte, byte>([21, 3]), static pair => Assert.Equal(pair.Second, pair.First));
        }

        using var clear = Caller.Over(new Uri($"http://127.0.0.1:{node.Address.Port}"), new SocketsHttpHandler());
        foreach (var (name, call) in clear.Everything())
        {
            var refused = await Assert.ThrowsAsync<RpcException>(call);
            Assert.True(refused.StatusCode is StatusCode.Unavailable or StatusCode.Internal, $"{name}: {refused.Status}");
        }

        Assert.Empty(node.Links.Links);
    }

    [Fact]
    public async Task OtherPortOfTheHost_HasNoCallsOfTheSwarm()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await SwarmNode.StartAsync(swarm.Member(MemberRolesText.All), swarm.Clock);
        using var http = new HttpClient();
        var port = new Uri($"http://127.0.0.1:{node.ClearAddress.Port}");
        Assert.Equal("open", await http.GetStringAsync(new Uri(port, "open"), Token));

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(port, "parallax.v1.Worker/GetInfo"))
        {
            Content = new ByteArrayContent([0, 0, 0, 0, 0]) { Headers = { { "Content-Type", "application/grpc" } } },
        };
        using var refused = await http.SendAsync(request, Token);

        Assert.Equal("16", refused.Headers.GetValues("grpc-status").Single());
        foreach (var path in new[] { SwarmNode.WhoPath, SwarmNode.WhoPath.ToUpperInvariant(), $"//{SwarmNode.WhoPath}" })
        {
            using var who = await http.GetAsync($"{port}{path}", Token);
            Assert.Equal("16", who.Headers.GetValues("grpc-status").Single());
        }
    }

    [Fact]
    public async Task Dial_SomebodyElseThanExpected_SaysNothing()
    {
        using var swarm = await TestSwarm.FoundAsync();
        using var other = await TestSwarm.FoundAsync();
        var (a, b) = (swarm.Member(MemberRoles.Router), swarm.Member(MemberRoles.Worker));
        await using var node = await SwarmNode.StartAsync(swarm.Member(MemberRoles.Router), swarm.Clock);

        await AssertNoConnectionAsync(a.CreateHandler(b.Self), $"answers where {b.Self} is expected");
        await AssertNoConnectionAsync(a.CreateWorkerHandler(node.Credentials.Self.ToString()), "is router and not worker");
        await AssertNoConnectionAsync(other.Member(MemberRoles.Router).CreateHandler(), "not of this swarm");
        await swarm.Authority.RevokePeerAsync(node.Credentials.Self, Token);
        a.ApplyRevocations(swarm.Authority.Revocations.Envelope.Span);
        await AssertNoConnectionAsync(a.CreateHandler(), "revoked");
        Assert.DoesNotContain(node.Log.Lines, static line => line.Contains("GetInfo", StringComparison.Ordinal));

        async Task AssertNoConnectionAsync(SocketsHttpHandler handler, string said)
        {
            using var caller = Caller.Over(node.Address, handler);
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await caller.Worker.GetInfoAsync(new GetInfoRequest(), cancellationToken: Token));
            Assert.Contains(said, refused.Status.DebugException!.GetBaseException().Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AddWorker_WhereOthersReachIt_TakesCredentialsOrInsecure()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var engine = new Services.ScriptedEngine();
        var options = new WorkerOptions { Model = AppContext.BaseDirectory, Bind = "0.0.0.0", Port = 0 };

        Assert.Contains("--insecure", Assert.Throws<OptionsException>(() => Add(options, null)).Message, StringComparison.Ordinal);
        Add(options with { Insecure = true }, null);
        Add(options with { Bind = "127.0.0.1" }, null);
        Add(options with { Bind = "::1" }, null);
        Add(options, swarm.Member(MemberRoles.Worker));

        void Add(WorkerOptions some, SwarmCredentials? credentials) =>
            Microsoft.AspNetCore.Builder.WebApplication.CreateSlimBuilder().AddWorker(some, new WorkerModel("demo", 2), engine, credentials);
    }

    private static async Task<string> DeniedAsync(Caller caller, string name)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(caller.Everything().Single(call => call.Name == name).Call);
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        return refused.Status.Detail.Replace("Refused: ", "", StringComparison.Ordinal).Split(';')[0];
    }

    private static async Task<X509Certificate2?> CertificateAsync(string who, TestSwarm swarm, TestSwarm other, SwarmCredentials server)
    {
        var key = swarm.NewKey();
        switch (who)
        {
            case "none":
                return null;
            case "other swarm":
                return WithKey(other.Authority.Issue(key.PublicKey.Span, MemberRolesText.All));
            case "self-made":
                return key.Use(ecdsa => new CertificateRequest($"CN={key.Id}", ecdsa, System.Security.Cryptography.HashAlgorithmName.SHA256)
                    .CreateSelfSigned(swarm.Clock.GetUtcNow().AddHours(-1), swarm.Clock.GetUtcNow().AddHours(1)));
            case "expired":
                var certificate = WithKey(swarm.Authority.Issue(key.PublicKey.Span, MemberRolesText.All));
                swarm.Clock.Shift = TimeSpan.FromHours(25);
                return certificate;
            default:
                await swarm.Authority.RevokePeerAsync(key.Id, Token);
                server.ApplyRevocations(swarm.Authority.Revocations.Envelope.Span);
                return WithKey(swarm.Authority.Issue(key.PublicKey.Span, MemberRolesText.All));
        }

        X509Certificate2 WithKey(byte[] bytes)
        {
            using var loaded = X509CertificateLoader.LoadCertificate(bytes);
            return key.Use(loaded.CopyWithPrivateKey);
        }
    }
}
