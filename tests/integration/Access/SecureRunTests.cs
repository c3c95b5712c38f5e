using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Parallax.IntegrationTests.Cli;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Access;

/// <summary><c>parallax run</c> with keys and TLS.</summary>
public sealed class SecureRunTests : IDisposable
{
    private readonly AccessFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_WithKeysAndTls_ServesOverHttpsToWhoHasAKey()
    {
        var (certificate, key) = (Path.Combine(_folder.Path, "tls.crt"), Path.Combine(_folder.Path, "tls.key"));
        var thumbprint = TestCertificate.Write(certificate, key, "run");
        var (_, secret) = await _folder.CreateKeyAsync("alice");
        await using var server = await RunningServer.StartAsync(
            "--auth", "keys", "--tls-cert", certificate, "--tls-key", key, "--audit-store", _folder.StorePath, "--audit-folder", Path.Combine(_folder.Path, "log"));
        Assert.Equal("https", server.Address.Scheme);

        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown!.Thumbprint == thumbprint };
        using var http = new HttpClient(handler) { BaseAddress = server.Address };
        using (var refused = await http.GetAsync("/v1/models", Token))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        using var content = new StringContent(
            """{"model": "MODEL", "messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0, "max_tokens": 8}"""
                .Replace("MODEL", await ModelAsync(http), StringComparison.Ordinal), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/v1/chat/completions", content, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEmpty((await answer.JsonAsync()).Text());
    }

    private static async Task<string> ModelAsync(HttpClient http)
    {
        using var response = await http.GetAsync("/v1/models", Token);
        return (await response.JsonAsync()).GetProperty("data")[0].GetProperty("id").GetString()!;
    }
}
