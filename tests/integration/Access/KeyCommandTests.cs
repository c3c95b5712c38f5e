using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Parallax.IntegrationTests.Cli;
using Parallax.IntegrationTests.Services;
using Parallax.Router.Access.Keys;

namespace Parallax.IntegrationTests.Access;

/// <summary><c>parallax key</c> and a router, each as a process of its own.</summary>
public sealed class KeyCommandTests : IDisposable
{
    private readonly AccessFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Router_BeyondLoopback_ServesWhoHasAKeyOfTheCommandLine()
    {
        await using var router = new ServiceProcess(
            "Parallax.Router", "--worker", "http://127.0.0.1:1", "--model", DemoModelFixture.ModelPath, "--bind", "0.0.0.0", "--port", "0",
            "--audit-folder", Path.Combine(_folder.Path, "log"), "--audit-store", _folder.StorePath, "--drain", "0");
        var address = new UriBuilder(await router.AddressAsync()) { Host = "127.0.0.1" }.Uri;
        await Eventually.TrueAsync(() => router.Errors.Contains("parallax key create", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Unauthorized, await ModelsAsync(address, null));

        var (secret, said) = await RunAsync(0, "create", "--name", "alice", "--requests-per-minute", "5", "--expires", "90d");
        secret = secret.Trim();
        Assert.StartsWith(ApiKeySecret.Prefix, secret, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, said, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => await ModelsAsync(address, secret) == HttpStatusCode.OK);

        var (json, _) = await RunAsync(0, "list", "--json");
        Assert.DoesNotContain(secret[ApiKeySecret.Prefix.Length..], json, StringComparison.Ordinal);
        Assert.DoesNotContain(ApiKeySecret.HashOf(secret), json, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        var key = Assert.Single(document.RootElement.EnumerateArray().ToArray());
        Assert.Equal(("alice", "valid", 5), (key.GetProperty("name").GetString(), key.GetProperty("state").GetString(), key.GetProperty("requests_per_minute").GetInt32()));
        var id = key.GetProperty("id").GetString()!;

        var (changed, _) = await RunAsync(0, "change", id, "--requests-per-minute", "none", "--tokens-per-day", "7");
        Assert.Contains("7 tokens a day", changed, StringComparison.Ordinal);
        var (revoked, _) = await RunAsync(0, "revoke", id);
        Assert.Contains("is revoked", revoked, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => await ModelsAsync(address, secret) == HttpStatusCode.Unauthorized);
        var (table, _) = await RunAsync(0, "list");
        Assert.Contains("revoked", table, StringComparison.Ordinal);

        await router.SignalAsync("-TERM");
        Assert.Equal(0, await router.ExitCodeAsync());
        Assert.DoesNotContain(secret[ApiKeySecret.Prefix.Length..], router.Errors, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(secret[ApiKeySecret.Prefix.Length..], Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Token)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(2, "--scope", "create", "--name", "a", "--scope", "root")]
    [InlineData(2, "--expires", "create", "--name", "a", "--expires", "soon")]
    [InlineData(2, "--tokens-per-day", "create", "--name", "a", "--tokens-per-day", "0")]
    [InlineData(1, "key list", "revoke", "0123456789abcdef")]
    [InlineData(2, "does not belong", "revoke", "plx-sk-AAAA")]
    public async Task Command_ThatCannotBeDone_SaysWhy(int code, string reason, params string[] arguments)
    {
        var (_, said) = await RunAsync(code, arguments);
        Assert.Contains(reason, said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    private async Task<(string Output, string Errors)> RunAsync(int code, params string[] arguments)
    {
        await using var process = new CliProcess(["key", .. arguments, "--store", _folder.StorePath]);
        var (output, actual) = await process.RunToEndAsync();
        Assert.True(code == actual, string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', arguments)}: {actual}, {process.Errors}"));
        return (output, process.Errors);
    }

    private static async Task<HttpStatusCode> ModelsAsync(Uri address, string? secret)
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = secret is null ? null : new("Bearer", secret);
        using var response = await http.GetAsync("/v1/models", Token);
        return response.StatusCode;
    }
}
