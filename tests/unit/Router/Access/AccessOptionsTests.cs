using System.CommandLine;
using Parallax.Hosting;
using Parallax.Router;
using Parallax.Router.Access;

namespace Parallax.UnitTests.Router.Access;

public class AccessOptionsTests
{
    private static readonly RouterOptions Router = new() { Workers = [new Uri("http://127.0.0.1:7101")] };

    [Fact]
    public void NeedsKeys_ByDefault_BeyondLoopbackOnly()
    {
        Assert.False(Router.NeedsKeys);
        Assert.False((Router with { Bind = "::1" }).NeedsKeys);
        Assert.True((Router with { Bind = "0.0.0.0" }).NeedsKeys);
        Assert.True((Router with { Bind = "10.0.0.2" }).NeedsKeys);
        Assert.True((Router with { Access = new RouterAccess { NeedsKeys = true } }).NeedsKeys);
        Assert.False((Router with { Bind = "0.0.0.0", Access = new RouterAccess { NeedsKeys = false } }).NeedsKeys);
    }

    [Fact]
    public void Read_AllNamed_IsWhatWasAsked()
    {
        var access = Read("--auth", "keys", "--key-store", "keys.db", "--admin-listen", "[::1]:9100", "--tls-cert", "a.pem", "--tls-key", "b.pem");
        Assert.Equal(
            new RouterAccess { NeedsKeys = true, KeyStore = "keys.db", AdminListen = new(System.Net.IPAddress.IPv6Loopback, 9100), TlsCertificate = "a.pem", TlsKey = "b.pem" }, access);
        Assert.Equal(new RouterAccess(), Read());
    }

    [Theory]
    [InlineData("--auth", "maybe", "--auth")]
    [InlineData("--admin-listen", "9100", "--admin-listen")]
    [InlineData("--admin-listen", "127.0.0.1", "--admin-listen")]
    [InlineData("--admin-listen", "::1", "--admin-listen")]
    [InlineData("--admin-listen", "host:9100", "--admin-listen")]
    public void Read_Wrong_SaysSo(string option, string value, string named) =>
        Assert.Contains(named, Assert.Throws<OptionsException>(() => Read(option, value)).Message, StringComparison.Ordinal);

    [Fact]
    public void Validate_HalfAPair_SaysSo()
    {
        Assert.Contains("--tls-key", Error(new RouterAccess { TlsCertificate = "a" }), StringComparison.Ordinal);
        Assert.Contains("--tls-key", Error(new RouterAccess { TlsKey = "a" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_AdminAtTheApi_SaysSo() =>
        Assert.Contains("--admin-listen", Error(new RouterAccess { AdminListen = new(System.Net.IPAddress.Loopback, RouterOptions.DefaultPort) }), StringComparison.Ordinal);

    [Fact]
    public void Validate_KeyStoreBesideAnAudit_SaysSo()
    {
        Assert.Empty((Router with { Access = new RouterAccess { KeyStore = "a" } }).Validate());
        var error = Assert.Single((Router with { Audit = new RouterAudit(), Access = new RouterAccess { KeyStore = "a" } }).Validate());
        Assert.Contains("--key-store", error, StringComparison.Ordinal);
    }

    private static string Error(RouterAccess access) => Assert.Single((Router with { Access = access }).Validate());

    private static RouterAccess Read(params string[] arguments)
    {
        var (set, command) = (new AccessOptionSet(), new Command("x"));
        set.AddTo(command);
        return set.Read(command.Parse(arguments));
    }
}
