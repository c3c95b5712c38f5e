using Parallax.Swarm.Telemetry;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Telemetry;

/// <summary>Passwords, tokens and certificates against a real server.</summary>
public sealed class NatsAccessTests
{
    private const string Secret = "s3cret-of-the-swarm";

    public NatsAccessTests() => Assert.SkipWhen(NatsServerProcess.MissingReason is not null, NatsServerProcess.MissingReason ?? "");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Password_Right_Connects_Wrong_SaysWhatToDoAndNoSecret()
    {
        await using var server = await StartAsync(new NatsServerConfig { User = ("swarm", Secret) });
        await WorksAsync(NatsMember.At(server) with { User = "swarm", Password = Secret });

        var wrong = Secret + "-wrong";
        await using var member = new NatsMember(NatsMember.At(server) with { User = "swarm", Password = wrong }, NatsMember.FreshSwarm());
        await member.AbsentAsync("refuses user 'swarm'");
        Assert.Contains("PARALLAX_NATS_PASSWORD", member.News.State.Problem, StringComparison.Ordinal);
        Assert.All(member.Log.Lines, line => Assert.DoesNotContain(Secret, line.Text, StringComparison.Ordinal));

        await using var anonymous = new NatsMember(NatsMember.At(server), NatsMember.FreshSwarm());
        await anonymous.AbsentAsync("refuses a member without credentials");
    }

    [Fact]
    public async Task Token_Right_Connects_Wrong_SaysWhatToDoAndNoSecret()
    {
        await using var server = await StartAsync(new NatsServerConfig { Token = Secret });
        await WorksAsync(NatsMember.At(server) with { Token = Secret });

        await using var member = new NatsMember(NatsMember.At(server) with { Token = Secret + "-wrong" }, NatsMember.FreshSwarm());
        await member.AbsentAsync("refuses the token");
        Assert.All(member.Log.Lines, line => Assert.DoesNotContain(Secret, line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tls_WithOurAuthority_Connects_WithAnother_IsRefused()
    {
        using var authority = new TestAuthority("ours");
        using var another = new TestAuthority("another");
        await using var server = await StartAsync(new NatsServerConfig { Authority = authority, User = ("swarm", Secret) });
        var options = NatsMember.At(server) with { User = "swarm", Password = Secret };
        await WorksAsync(options with { CaFile = authority.WriteTo(server.Folder) });

        await using var deceived = new NatsMember(options with { CaFile = another.WriteTo(server.Folder) }, NatsMember.FreshSwarm());
        await deceived.AbsentAsync("TLS with");
        await using var trusting = new NatsMember(options, NatsMember.FreshSwarm()); // the machine's authorities do not know ours
        await trusting.AbsentAsync("TLS with");
    }

    [Fact]
    public async Task Tls_ClientCertificateWanted_ConnectsWithOneOnly()
    {
        using var authority = new TestAuthority("ours");
        await using var server = await StartAsync(new NatsServerConfig { Authority = authority, WantsCertificate = true });
        var (certificate, key) = authority.Issue("member", server.Folder);
        var options = NatsMember.At(server) with { CaFile = authority.WriteTo(server.Folder) };
        await WorksAsync(options with { CertificateFile = certificate, KeyFile = key });

        await using var bare = new NatsMember(options, NatsMember.FreshSwarm());
        await bare.AbsentAsync("wants a certificate");
    }

    [Fact]
    public async Task Tls_AskedForAndNotOffered_SendsNothingInTheClear()
    {
        using var authority = new TestAuthority("ours");
        await using var server = await StartAsync(new NatsServerConfig { User = ("swarm", Secret) });
        var options = NatsMember.At(server) with { User = "swarm", Password = Secret };
        await using var byFile = new NatsMember(options with { CaFile = authority.WriteTo(server.Folder) }, NatsMember.FreshSwarm());
        await byFile.AbsentAsync("offers no TLS");
        await using var byScheme = new NatsMember(options with { Servers = [new Uri($"tls://127.0.0.1:{server.Port}")] }, NatsMember.FreshSwarm());
        await byScheme.AbsentAsync("offers no TLS");
    }

    private static Task<NatsServerProcess> StartAsync(NatsServerConfig config) => NatsServerProcess.StartAsync(config, Token);

    private static async Task WorksAsync(NatsOptions options)
    {
        var swarm = NatsMember.FreshSwarm();
        await using var a = await NatsMember.ConnectedAsync(options, swarm);
        await using var b = await NatsMember.ConnectedAsync(options, swarm);
        a.Say("hello");
        await b.HearAsync("hello");
    }
}
