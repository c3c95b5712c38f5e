using System.Net;
using System.Text;
using Parallax.Cli.Chat;

namespace Parallax.UnitTests.Cli;

public sealed class CompletionClientTests
{
    private static readonly ChatSettings Settings = new("demo", 0, 9);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://h:1", "http://h:1/v1/")]
    [InlineData("http://h:1/", "http://h:1/v1/")]
    [InlineData("http://h:1/v1", "http://h:1/v1/")]
    [InlineData("http://h:1/api/v1/", "http://h:1/api/v1/")]
    public void Server_AnyForm_EndsInV1(string given, string expected)
    {
        using var client = new CompletionClient(new Uri(given));
        Assert.Equal(expected, client.Server.ToString());
    }

    [Fact]
    public async Task StreamAsync_Events_GiveTextAndReason()
    {
        using var server = new Answers(HttpStatusCode.OK,
            """
            : a comment
            id: x
            data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}

            data: {"choices": [{"index": 0, "delta": {"content": "Hé"}, "finish_reason": null}]}

            data: {"choices": [{"index": 0, "delta": {"content": "llo"}, "finish_reason": "stop"}]}

            data: {"choices": [], "usage": {"total_tokens": 3}}

            data: [DONE]

            data: never read
            """);
        using var client = new CompletionClient(new Uri("http://h"), server);

        var events = await client.StreamAsync(Settings, [new ChatTurn("user", "a \"b\"")], Token).ToListAsync(Token);

        Assert.Equal<CompletionEvent>([new TextAdded("Hé"), new TextAdded("llo"), new AnswerFinished("stop")], events);
        Assert.Equal("http://h/v1/chat/completions", server.Url);
        Assert.Equal("""{"model":"demo","stream":true,"temperature":0,"max_tokens":9,"messages":[{"role":"user","content":"a \u0022b\u0022"}]}""", server.Body);
    }

    [Theory]
    [InlineData("data: {\"choices\": []}\n", "ended the connection")]
    [InlineData("data: {\"error\": {\"message\": \"The engine failed.\"}}\n", "The engine failed.")]
    [InlineData("data: {broken\n", "not understood")]
    [InlineData("data: {\"id\": 1}\n", "not understood")]
    public async Task StreamAsync_BrokenStream_SaysSo(string body, string expected)
    {
        using var client = new CompletionClient(new Uri("http://h"), new Answers(HttpStatusCode.OK, body));

        var error = await Assert.ThrowsAsync<ServerException>(async () =>
            await client.StreamAsync(Settings, [], Token).ToListAsync(Token));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"error": {"message": "Too long.", "code": "context_length_exceeded"}}""", "Too long. /reset begins anew.")]
    [InlineData("""{"error": {"message": "Busy.", "code": null}}""", "Busy.")]
    [InlineData("<html>", "The server answered 429 TooManyRequests.")]
    public async Task StreamAsync_Refusal_SaysWhatTheServerSays(string body, string expected)
    {
        using var client = new CompletionClient(new Uri("http://h"), new Answers(HttpStatusCode.TooManyRequests, body));

        var error = await Assert.ThrowsAsync<ServerException>(async () =>
            await client.StreamAsync(Settings, [], Token).ToListAsync(Token));

        Assert.Equal(expected, error.Message);
    }

    [Theory]
    [InlineData(null, "a")]
    [InlineData("b", "b")]
    public async Task ReadModelAsync_Served_IsTheNamedOrTheFirst(string? named, string expected)
    {
        using var client = new CompletionClient(new Uri("http://h"), new Answers(HttpStatusCode.OK, """{"data": [{"id": "a"}, {"id": "b"}]}"""));
        Assert.Equal(expected, await client.ReadModelAsync(named, Token));
    }

    [Theory]
    [InlineData("c", """{"data": [{"id": "a"}, {"id": "b"}]}""", "does not serve 'c'; it serves: a, b")]
    [InlineData(null, """{"data": []}""", "serves no model")]
    [InlineData(null, "<html>", "no OpenAI-compatible server")]
    [InlineData(null, """{"data": 1}""", "no OpenAI-compatible server")]
    public async Task ReadModelAsync_NotServed_SaysWhatIs(string? named, string body, string expected)
    {
        using var client = new CompletionClient(new Uri("http://h"), new Answers(HttpStatusCode.OK, body));

        var error = await Assert.ThrowsAsync<ServerException>(() => client.ReadModelAsync(named, Token));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadModelAsync_NobodyThere_SaysHowToStartAServer()
    {
        using var client = new CompletionClient(new Uri("http://h:1"), new Answers(new HttpRequestException(HttpRequestError.ConnectionError)));

        var error = await Assert.ThrowsAsync<ServerException>(() => client.ReadModelAsync(null, Token));

        Assert.Contains("No server answers at http://h:1 (ConnectionError). Start one with 'parallax run'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Gives one answer to everything.</summary>
    private sealed class Answers : HttpMessageHandler
    {
        private readonly HttpStatusCode _status;
        private readonly string _body = "";
        private readonly Exception? _failure;

        public Answers(HttpStatusCode status, string body)
        {
            _status = status;
            _body = body;
        }

        public Answers(Exception failure) => _failure = failure;

        public string Url { get; private set; } = "";

        public string Body { get; private set; } = "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Url = request.RequestUri!.ToString();
            Body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            return _failure is not null
                ? throw _failure
                : new HttpResponseMessage(_status) { Content = new StringContent(_body, Encoding.UTF8, "text/event-stream") };
        }
    }
}
