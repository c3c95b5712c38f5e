using System.Text;
using System.Text.Json;

namespace Parallax.IntegrationTests.Cli;

/// <summary><c>parallax run</c> on a free port, with a client.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private RunningServer(CliProcess process, Uri address)
    {
        Process = process;
        Http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(3) };
    }

    public CliProcess Process { get; }

    public HttpClient Http { get; }

    public Uri Address => Http.BaseAddress!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>One worker, unless the options say otherwise.</summary>
    public static Task<RunningServer> StartAsync(params string[] options) =>
        StartAsync(new CliProcess(["run", "--port", "0", .. options.Contains("--workers") ? (string[])[] : ["--workers", "1"], .. options]));

    /// <summary>The same for a command that has been started with <c>run --port 0</c>, which it takes over.</summary>
    public static async Task<RunningServer> StartAsync(CliProcess process)
    {
        try
        {
            var line = await process.ReadToLineAsync("Serving ");
            return new RunningServer(process, new Uri(line.Split(" on ")[1]));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Posts a chat completion of one user message; <paramref name="fields"/> are further JSON fields.</summary>
    public async Task<HttpResponseMessage> PostAsync(string model, string content, string fields)
    {
        var body = $$"""{"model": "{{model}}", "messages": [{"role": "user", "content": "{{JsonEncodedText.Encode(content)}}"}], {{fields}}}""";
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Process.DisposeAsync();
    }
}
