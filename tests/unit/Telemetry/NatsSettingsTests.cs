using System.CommandLine;
using Parallax.Hosting;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

public sealed class NatsSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-nats-settings-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_Nothing_IsNoNats()
    {
        _environment["PARALLAX_NATS_PASSWORD"] = "for other programs";
        Assert.Null(Read());
    }

    [Fact]
    public void Read_Environment_SetsEverything()
    {
        var (ca, certificate, key) = (Write("ca", ""), Write("cert", ""), Write("key", ""));
        _environment["PARALLAX_NATS_URL"] = "nats://a:1,b:2, tls://c";
        _environment["PARALLAX_NATS_USER"] = "u";
        _environment["PARALLAX_NATS_PASSWORD_FILE"] = Write("password", "p w\n");
        _environment["PARALLAX_NATS_CA"] = ca;
        _environment["PARALLAX_NATS_CERT"] = certificate;
        _environment["PARALLAX_NATS_KEY"] = key;
        var options = Read()!;
        Assert.Equal(["nats://a:1/", "nats://b:2/", "tls://c:4222/"], options.Servers.Select(static server => server.ToString()));
        Assert.Equal(("u", "p w", "", ca, certificate, key), (options.User, options.Password, options.Token, options.CaFile, options.CertificateFile, options.KeyFile));
    }

    [Fact]
    public void Read_CommandLine_Wins()
    {
        _environment["PARALLAX_NATS_URL"] = "nats://a:1";
        _environment["PARALLAX_NATS_TOKEN"] = "from the environment";
        var options = Read("--nats", "nats://b:2", "--nats-token-file", Write("token", "from a file"))!;
        Assert.Equal("nats://b:2/", Assert.Single(options.Servers).ToString());
        Assert.Equal("from a file", options.Token);
    }

    [Theory]
    [InlineData("nats://u:p%40ss@a:1,nats://u:p%40ss@b:2", "u", "p@ss", "")]
    [InlineData("nats://to%3Aken@a:1", "", "", "to:ken")]
    public void Read_CredentialsInAddresses_AreTakenOut(string url, string user, string password, string token)
    {
        _environment["PARALLAX_NATS_URL"] = url;
        var options = Read()!;
        Assert.Equal((user, password, token), (options.User, options.Password, options.Token));
        Assert.All(options.Servers, static server => Assert.Empty(server.UserInfo));
    }

    [Theory]
    [InlineData("http://a:1", "is not an address")]
    [InlineData("nats://s3cret@", "is not an address")]
    [InlineData("nats://x:s3cret@a b:1", "is not an address")]
    [InlineData("nats://a:1/path", "is not an address")]
    [InlineData("nats://u:s3cret@a:1,nats://v:s3cret@b:1", "more than once")]
    [InlineData(",", "at least one server")]
    public void Read_WrongAddresses_SaysSoWithoutSecrets(string url, string problem)
    {
        _environment["PARALLAX_NATS_URL"] = url;
        var error = Assert.Throws<OptionsException>(() => Read());
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Incomplete_NamesAllThatIsWrong()
    {
        var error = Assert.Throws<OptionsException>(() => Read("--nats", "a", "--nats-user", "u", "--nats-ca", "/nowhere", "--nats-key", Write("key", ""), "--nats-token-file", "/nowhere/token"));
        Assert.Equal(4, error.Errors.Count);
        Assert.Contains("name the server as well", Assert.Throws<OptionsException>(() => Read("--nats-user", "u")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_ShowsNoSecrets()
    {
        var text = new NatsOptions { Servers = [new Uri("nats://a:1")], User = "u", Password = "s3cret" }.ToString();
        Assert.Equal("nats://a:1 with user u", text);
        Assert.Equal("nats://a:1 with a token", new NatsOptions { Servers = [new Uri("nats://a:1")], Token = "s3cret" }.ToString());
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private NatsOptions? Read(params string[] arguments)
    {
        var settings = new NatsSettings();
        var command = new RootCommand();
        settings.AddTo(command);
        var parsed = command.Parse(arguments);
        Assert.Empty(parsed.Errors);
        return settings.Read(parsed, name => _environment.GetValueOrDefault(name));
    }
}
