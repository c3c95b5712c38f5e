using Parallax.Bus;

namespace Parallax.UnitTests.Bus;

public sealed class BusOptionsTests
{
    [Fact]
    public void Parse_Memory_HasNoHost()
    {
        var options = BusOptions.Parse("memory");
        Assert.True(options.IsMemory);
        Assert.Equal("memory", options.ToString());
    }

    [Theory]
    [InlineData("rabbitmq://router@rabbitmq/parallax?passwordfile=/run/secrets/r", "rabbitmq", 5672, "parallax", "router", "/run/secrets/r", false)]
    [InlineData("rabbitmq://127.0.0.1:40000", "127.0.0.1", 40000, "/", "guest", null, false)]
    [InlineData("rabbitmq://a%40b@h/%2Fodd", "h", 5672, "/odd", "a@b", null, false)]
    [InlineData("rabbitmqs://s@h/v?cafile=/ca.pem&certfile=/c.pem&keyfile=/k.pem&passwordfile=/p%20w", "h", 5671, "v", "s", "/p w", true)]
    public void Parse_Address_IsRead(string text, string host, int port, string virtualHost, string user, string? passwordFile, bool tls)
    {
        var options = BusOptions.Parse(text);
        Assert.Equal((host, port, virtualHost, user, passwordFile, tls), (options.Host, options.Port, options.VirtualHost, options.User, options.PasswordFile, options.UsesTls));
        Assert.False(options.IsMemory);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nats://h")]
    [InlineData("rabbitmq://")]
    [InlineData("rabbitmq://user:secret@h/v")]
    [InlineData("rabbitmq://h/a/b")]
    [InlineData("rabbitmq://h/v?password=x")]
    [InlineData("rabbitmq://h/v?passwordfile=")]
    [InlineData("rabbitmq://h/v?passwordfile=/a&passwordfile=/b")]
    [InlineData("rabbitmq://h/v?cafile=/ca.pem")]
    [InlineData("rabbitmqs://h/v?certfile=/c.pem")]
    public void Parse_SomethingElse_IsRefusedWithoutRepeatingIt(string text)
    {
        var problem = Assert.Throws<BusException>(() => BusOptions.Parse(text));
        Assert.Contains("--bus", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret@", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadPassword_IsTheFilesFirstLine()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "pass word\nmore\n");
            var options = BusOptions.Parse($"rabbitmq://u@h/v?passwordfile={Uri.EscapeDataString(path)}");
            Assert.Equal("pass word", options.ReadPassword());
            File.WriteAllText(path, "");
            Assert.Throws<BusException>(options.ReadPassword);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Throws<BusException>(BusOptions.Parse("rabbitmq://u@h/v?passwordfile=/no/such/file").ReadPassword);
    }
}
