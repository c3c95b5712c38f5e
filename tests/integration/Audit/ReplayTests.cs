using System.Collections.Immutable;
using System.Text;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;
using Parallax.EventStore.Sqlite;
using Parallax.IntegrationTests.Cli;
using Parallax.IntegrationTests.Failover;
using Parallax.IntegrationTests.Services;
using Parallax.UnitTests.Audit;

namespace Parallax.IntegrationTests.Audit;

/// <summary>Answers of real processes, generated again by <c>parallax audit replay</c> from what the audit kept of them.</summary>
[Collection(FailoverCollection.Name)]
public sealed class ReplayTests : IDisposable
{
    private const string Router = "Parallax.Router";
    private const string Worker = "Parallax.Worker.Gpu";
    private const string Body = """
        {"model": "demo", "messages": [{"role": "user", "content": "Tell me a story."}], "temperature": 1.2, "seed": 42, "max_tokens": 600, "ignore_eos": true, "stream": true}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-replay-");

    private string Store => Path.Combine(_folder.FullName, "audit.db");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Rerouted_InMidStream_ReplaysTheSameOverAnotherCut()
    {
        await using var head = NewWorker("head", "0-3", "0");
        await using var tail = NewWorker("tail", "3-8", "0");
        var (headAddress, tailAddress) = (await head.AddressAsync(), await tail.AddressAsync());
        string id;
        await using (var router = NewRouter("r", headAddress, tailAddress))
        {
            using var http = new HttpClient { BaseAddress = await router.AddressAsync() };
            var response = await PostAsync(http, null);
            id = response.Headers.GetValues("x-request-id").Single();
            await using var live = new LiveAnswer(response);
            await live.ReadUntilAsync(20);
            await tail.SignalAsync("-KILL");
            await tail.ExitCodeAsync();
            await using var next = NewWorker("tail", "3-8", tailAddress.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
            await next.AddressAsync();
            Assert.True((await live.ReadToEndAsync()).IsDone);
            await router.SignalAsync("-TERM");
            await router.ExitCodeAsync();
        }

        var events = await EventsAsync();
        Assert.Contains(events, static one => one.Type == "rerouted");
        await SameAsync(id, "--workers", "3");
        await SameAsync(id, "--workers", "1");

        // One token changed, with good hashes: replay does not need signatures to find it.
        var changed = events.First(static one => one.Type == "tokens-emitted" && one.Version > 4);
        using var tampered = await AuditStoreFile.CreateAsync(History.Rechain(events, changed, static record =>
        {
            var tokens = (TokensEmitted)record.Event;
            return record with { Event = tokens with { Ids = tokens.Ids!.Value.SetItem(1, tokens.Ids.Value[1] ^ 1) } };
        }));
        var place = ((TokensEmitted)AuditCodec.Decode(changed.Payload).Event).First + 1;
        var (output, code, _) = await tampered.RunAsync("replay", id, "--model", DemoModelFixture.ModelPath);
        Assert.Equal(1, code);
        Assert.Contains($"differs: choice 0, token {place}: recorded", output, StringComparison.Ordinal);
        Assert.Equal(1, (await tampered.RunAsync("verify")).Code);
    }

    [Fact]
    public async Task Resumed_ByAnotherRouter_VerifiesAndReplaysAsOneAnswer()
    {
        await using var worker = NewWorker("whole", "0-8", "0");
        var address = await worker.AddressAsync();
        string id;
        await using (var other = NewRouter("other", address))
        {
            using var elsewhere = new HttpClient { BaseAddress = await other.AddressAsync() };
            string last;
            await using (var doomed = NewRouter("doomed", address))
            {
                using var http = new HttpClient { BaseAddress = await doomed.AddressAsync() };
                var response = await PostAsync(http, null);
                id = response.Headers.GetValues("x-request-id").Single();
                await using var live = new LiveAnswer(response);
                await live.ReadUntilAsync(20);
                await doomed.SignalAsync("-KILL");
                await doomed.ExitCodeAsync();
                last = live.Answer.Ids[^1];
            }

            using var rest = await PostAsync(elsewhere, last);
            Assert.EndsWith("data: [DONE]", (await rest.Content.ReadAsStringAsync(Token)).TrimEnd(), StringComparison.Ordinal);

            // The router that was killed comes back and says what it had shown.
            await using var back = NewRouter("doomed", address);
            using var again = new HttpClient { BaseAddress = await back.AddressAsync() };
            await ReadyAsync(again);
            await back.SignalAsync("-TERM");
            await back.ExitCodeAsync();
            await other.SignalAsync("-TERM");
            await other.ExitCodeAsync();
        }

        var events = await EventsAsync();
        Assert.Equal(2, events.Count(one => one.Type == "segment-opened" && AuditStreams.RequestOf(one.Stream) == id));
        var (output, code) = await AuditAsync("verify");
        Assert.True(code == 0, output);
        await SameAsync(id, "--workers", "2");
    }

    [Fact]
    public async Task KeptAsHashes_ReplaysWithTheBodyAndTheKey()
    {
        await using var worker = NewWorker("whole", "0-8", "0");
        string id;
        await using (var router = NewRouter("r", "hashes", await worker.AddressAsync()))
        {
            using var http = new HttpClient { BaseAddress = await router.AddressAsync() };
            var response = await PostAsync(http, null);
            id = response.Headers.GetValues("x-request-id").Single();
            await using var live = new LiveAnswer(response);
            await live.ReadToEndAsync();
            await router.SignalAsync("-TERM");
            await router.ExitCodeAsync();
        }

        var body = Path.Combine(_folder.FullName, "body.json");
        await File.WriteAllTextAsync(body, Body, Token);
        var key = _folder.EnumerateFiles("hash.key", SearchOption.AllDirectories).Single().FullName;
        await SameAsync(id, "--workers", "2", "--body", body, "--hash-key", key);

        Assert.Equal(1, (await AuditAsync("replay", id, "--model", DemoModelFixture.ModelPath)).Code);
        await File.WriteAllTextAsync(body, Body.Replace("story", "joke", StringComparison.Ordinal), Token);
        Assert.Equal(1, (await AuditAsync("replay", id, "--model", DemoModelFixture.ModelPath, "--body", body, "--hash-key", key)).Code);
    }

    private async Task SameAsync(string id, params string[] arguments)
    {
        var (output, code) = await AuditAsync(["replay", id, "--model", DemoModelFixture.ModelPath, .. arguments]);
        Assert.True(code == 0, output);
        Assert.StartsWith("The same: 600 tokens over ", output, StringComparison.Ordinal);
    }

    private async Task<(string Output, int Code)> AuditAsync(params string[] arguments)
    {
        await using var process = new CliProcess(["audit", .. arguments, "--store", Store]);
        var (output, code) = await process.RunToEndAsync();
        return (output + (code == 0 ? "" : process.Errors), code);
    }

    private async Task<ImmutableArray<StoredEvent>> EventsAsync()
    {
        await using var store = SqliteEventStore.Open(Store, TimeProvider.System);
        var events = ImmutableArray.CreateBuilder<StoredEvent>();
        await foreach (var one in store.ReadAllAsync(0, Token))
        {
            events.Add(one);
        }

        return events.ToImmutable();
    }

    private static ServiceProcess NewWorker(string id, string layers, string port) =>
        new(Worker, "--model", DemoModelFixture.ModelPath, "--id", id, "--layers", layers, "--port", port, "--threads", "1");

    private ServiceProcess NewRouter(string name, params Uri[] workers) => NewRouter(name, "full", workers);

    private ServiceProcess NewRouter(string name, string contents, params Uri[] workers) => new(
        Router,
        [
            .. workers.SelectMany(static worker => (string[])["--worker", worker.ToString()]), "--model", DemoModelFixture.ModelPath, "--port", "0",
            "--audit", contents, "--audit-store", Store, "--audit-folder", Path.Combine(_folder.FullName, name),
        ]);

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, string? lastEventId)
    {
        await ReadyAsync(http);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Body, Encoding.UTF8, "application/json") };
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        return response.EnsureSuccessStatusCode();
    }

    private static async Task ReadyAsync(HttpClient http)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        while (true)
        {
            using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), patience.Token);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), patience.Token);
        }
    }
}
