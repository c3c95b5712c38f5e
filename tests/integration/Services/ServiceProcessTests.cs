using System.Net;
using System.Text;

namespace Parallax.IntegrationTests.Services;

/// <summary>Router and worker as processes: command lines, exit codes, signals, sudden death.</summary>
public class ServiceProcessTests
{
    private const string Router = "Parallax.Router";
    private const string Worker = "Parallax.Worker.Gpu";
    private const string Body = """{"model": "demo", "messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Services_Alone_AnswerAndStopOnSignals()
    {
        await using var worker = new ServiceProcess(Worker, "--model", DemoModelFixture.ModelPath, "--port", "0", "--threads", "1");
        var workerAddress = await worker.AddressAsync();
        await using var router = new ServiceProcess(
            Router, "--worker", workerAddress.ToString(), "--model", DemoModelFixture.ModelPath, "--port", "0", "--audit", "off", "--drain", "0");
        using var http = new HttpClient { BaseAddress = await router.AddressAsync() };
        await ReadyAsync(http);

        using (var response = await http.PostAsync("/v1/chat/completions", Json(Body + "}"), Token))
        {
            Assert.Contains("Paris", (await response.JsonAsync()).Text(), StringComparison.Ordinal);
        }

        await router.SignalAsync("-TERM");
        Assert.Equal(0, await router.ExitCodeAsync());
        await worker.SignalAsync("-INT");
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task Worker_KilledInMidStream_TheNextOneGoesOn()
    {
        await using var worker = new ServiceProcess(Worker, "--model", DemoModelFixture.ModelPath, "--port", "0", "--threads", "1");
        var address = await worker.AddressAsync();
        await using var router = new ServiceProcess(
            Router, "--worker", address.ToString(), "--model", DemoModelFixture.ModelPath, "--port", "0", "--audit", "off", "--drain", "0");
        using var http = new HttpClient { BaseAddress = await router.AddressAsync() };
        await ReadyAsync(http);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = Json(Body + ", \"stream\": true, \"ignore_eos\": true}") };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        await using var live = new LiveAnswer(response);
        await live.ReadUntilAsync(3);

        await worker.SignalAsync("-KILL");
        await worker.ExitCodeAsync();
        await using var next = new ServiceProcess(
            Worker, "--model", DemoModelFixture.ModelPath, "--port", address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--threads", "1");
        await next.AddressAsync();

        var answer = await live.ReadToEndAsync();
        Assert.Null(answer.Error);
        Assert.True(answer.IsDone);
        await ReadyAsync(http);
        using var again = await http.PostAsync("/v1/chat/completions", Json(Body + "}"), Token);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Theory]
    [InlineData(Worker, "--model demo --device cuda", 4, "TorchSharp")]
    [InlineData(Worker, "--model demo --device tpu --port 70000", 2, "--port")]
    [InlineData(Worker, "--model demo --turbo", 2, "--turbo")]
    [InlineData(Worker, "--device cpu", 2, "--model")]
    [InlineData(Router, "--model nowhere --worker http://127.0.0.1:1 --audit off", 3, "nowhere")]
    [InlineData(Router, "--model demo --worker nonsense --audit off", 2, "nonsense")]
    public async Task Service_CannotRun_SaysWhyAndExits(string service, string arguments, int code, string reason)
    {
        var words = arguments.Split(' ').Select(static word => word == "demo" ? DemoModelFixture.ModelPath : word);
        await using var process = new ServiceProcess(service, [.. words]);

        Assert.Equal(code, await process.ExitCodeAsync());
        Assert.Contains(reason, process.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Router_PortTaken_SaysSoAndExits()
    {
        await using var first = new ServiceProcess(Router, "--worker", "http://127.0.0.1:1", "--model", DemoModelFixture.ModelPath, "--port", "0", "--audit", "off");
        var port = (await first.AddressAsync()).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await using var second = new ServiceProcess(Router, "--worker", "http://127.0.0.1:1", "--model", DemoModelFixture.ModelPath, "--port", port, "--audit", "off");

        Assert.Equal(5, await second.ExitCodeAsync());
        Assert.Contains(port, second.Errors, StringComparison.Ordinal);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task ReadyAsync(HttpClient http)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            using var answer = await http.GetAsync("/health/ready", patience.Token);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(20, patience.Token);
        }
    }
}
