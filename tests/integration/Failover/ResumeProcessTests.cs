using System.Text;
using System.Text.RegularExpressions;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Failover;

/// <summary>Real processes, the bundled model, sampled answers: the router dies, the client goes to another.</summary>
public class ResumeProcessTests
{
    private const string Router = "Parallax.Router";
    private const string Worker = "Parallax.Worker.Gpu";
    private const string Body = """
        {"model": "demo", "messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 1.5, "seed": 42, "max_tokens": 800, "ignore_eos": true, "stream": true, "stream_options": {"include_usage": true}}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Router_KilledInMidStream_IsReplacedByAnotherWithoutATokenLostOrChanged()
    {
        // Two stages: the head, which is asked for the ids, holds the first layers only.
        await using var head = NewWorker("head", "0-3");
        await using var tail = NewWorker("tail", "3-8");
        var workers = new[] { await head.AddressAsync(), await tail.AddressAsync() };
        await using var doomed = NewRouter(workers);
        await using var other = NewRouter(workers);
        using var http = new HttpClient { BaseAddress = await doomed.AddressAsync() };
        using var elsewhere = new HttpClient { BaseAddress = await other.AddressAsync() };
        await ReadyAsync(http);
        await ReadyAsync(elsewhere);

        var received = new MemoryStream();
        using (var response = await PostAsync(http, null))
        {
            await using var stream = await response.Content.ReadAsStreamAsync(Token);
            var buffer = new byte[512];
            while (received.Length < 8000)
            {
                var read = await stream.ReadAsync(buffer, Token);
                Assert.True(read > 0);
                received.Write(buffer, 0, read);
            }

            await doomed.SignalAsync("-KILL");
            await doomed.ExitCodeAsync();
            try
            {
                await stream.CopyToAsync(received, Token); // what was under way
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                // The connection broke.
            }
        }

        var kept = new StreamBytes(received.ToArray());
        Assert.False(kept.IsDone);
        var rest = await ReadAsync(elsewhere, kept.LastId);
        Assert.True(rest.IsDone);

        Assert.Equal("799f", rest.LastId.Split(':')[2]);

        // The same seed without a failure; the user's name makes it another request and changes nothing.
        var whole = await ReadAsync(elsewhere, null, Body.Replace("\"seed\"", "\"user\": \"u\", \"seed\"", StringComparison.Ordinal));
        Assert.Equal(Comparable(whole.Text), Comparable(kept.Text + rest.Text));
    }

    /// <summary>The events without what tells two requests apart, and without the usage, which tells of the prefix cache.</summary>
    private static string Comparable(string text) =>
        Regex.Replace(Regex.Replace(text, "chatcmpl-[A-Za-z0-9_-]{32}(:[A-Za-z0-9_-]{28})?", "ID"), "\"created\":[0-9]+", "NOW").Split("\"usage\"")[0];

    private static ServiceProcess NewWorker(string id, string layers) =>
        new(Worker, "--model", DemoModelFixture.ModelPath, "--port", "0", "--threads", "1", "--id", id, "--layers", layers);

    private static ServiceProcess NewRouter(Uri[] workers) => new(
        Router,
        [
            .. workers.SelectMany(static worker => new[] { "--worker", worker.ToString() }),
            "--model", DemoModelFixture.ModelPath, "--port", "0", "--audit", "off", "--drain", "0",
        ]);

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string? lastEventId, string body = Body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    private static async Task<StreamBytes> ReadAsync(HttpClient http, string? lastEventId, string body = Body)
    {
        using var response = await PostAsync(http, lastEventId, body);
        var bytes = await response.Content.ReadAsByteArrayAsync(Token);
        Assert.True(response.IsSuccessStatusCode, Encoding.UTF8.GetString(bytes));
        return new StreamBytes(bytes);
    }

    private static Task ReadyAsync(HttpClient http) => Eventually.TrueAsync(async () =>
    {
        using var answer = await http.GetAsync("/health/ready", Token);
        return answer.IsSuccessStatusCode;
    });
}
