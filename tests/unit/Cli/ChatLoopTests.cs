using System.Net;
using System.Text.Json;
using Parallax.Cli.Chat;

namespace Parallax.UnitTests.Cli;

public sealed class ChatLoopTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public async Task RunAsync_LinesOfAPipe_AnswersEachAndKeepsTheConversation()
    {
        using var server = new EchoServer();

        var code = await RunAsync(server, "one\n\n  two\n", interactive: false);

        Assert.Equal(0, code);
        Assert.Equal("You said one.\nYou said   two.\n", _output.ToString());
        Assert.Equal("", _error.ToString());
        Assert.Equal(["user:one"], server.Requests[0]);
        Assert.Equal(["user:one", "assistant:You said one.", "user:  two"], server.Requests[1]);
    }

    [Fact]
    public async Task RunAsync_Reset_ForgetsTheConversation()
    {
        using var server = new EchoServer();

        await RunAsync(server, "one\n/reset\ntwo\n", interactive: false);

        Assert.Equal(["user:two"], server.Requests[1]);
    }

    [Fact]
    public async Task RunAsync_Exit_ReadsNoFurther()
    {
        using var server = new EchoServer();

        Assert.Equal(0, await RunAsync(server, "/exit\none\n", interactive: false));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task RunAsync_Terminal_PromptsHelpsAndLeavesAtTheEnd()
    {
        using var server = new EchoServer();

        Assert.Equal(0, await RunAsync(server, "/help\none\n", interactive: true));
        Assert.StartsWith("Talking to demo at http://h. ", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("/reset", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("\n> You said one.\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public async Task RunAsync_UnknownCommand_IsNotSaidToTheModel(bool interactive, int code)
    {
        using var server = new EchoServer();

        Assert.Equal(code, await RunAsync(server, "/rest\n", interactive));
        Assert.Empty(server.Requests);
        Assert.Contains("no command /rest", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_PathAtTheBeginning_IsSaidToTheModel()
    {
        using var server = new EchoServer();

        Assert.Equal(0, await RunAsync(server, "/etc/passwd: what is it?\n", interactive: false));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task RunAsync_ServerRefuses_SaysWhyTakesTheQuestionBackAndGoesOn()
    {
        using var server = new EchoServer { RefuseFirst = true };

        Assert.Equal(1, await RunAsync(server, "one\ntwo\n", interactive: false));
        Assert.Equal("Busy.\n", _error.ToString());
        Assert.Equal(["user:two"], server.Requests[1]);
    }

    [Fact]
    public async Task RunAsync_Broken_KeepsWhatWasSaidAndGoesOn()
    {
        using var breaks = new AnswerBreaks(listen: false);
        using var server = new EchoServer { OnFirstText = () => breaks.TryBreak() };

        Assert.Equal(0, await RunAsync(server, "one\ntwo\n", interactive: false, breaks));
        Assert.Equal("(stopped)\n", _error.ToString());
        Assert.Equal(["user:one", "assistant:You ", "user:two"], server.Requests[1]);
    }

    [Fact]
    public async Task RunAsync_LengthReached_SaysSo()
    {
        using var server = new EchoServer { Reason = "length" };

        Assert.Equal(0, await RunAsync(server, "one\n", interactive: false));
        Assert.Contains("--max-tokens", _error.ToString(), StringComparison.Ordinal);
    }

    private async Task<int> RunAsync(EchoServer server, string input, bool interactive, AnswerBreaks? breaks = null)
    {
        using var own = new AnswerBreaks(listen: false);
        using var client = new CompletionClient(new Uri("http://h"), server);
        var loop = new ChatLoop(
            client, new Conversation(null), new ChatSettings("demo", null, null), new StringReader(input), _output, _error, interactive);
        return await loop.RunAsync(breaks ?? own);
    }

    /// <summary>Answers "You said X." in two events.</summary>
    private sealed class EchoServer : HttpMessageHandler
    {
        public List<string[]> Requests { get; } = [];

        public bool RefuseFirst { get; init; }

        public string Reason { get; init; } = "stop";

        /// <summary>Called when the first text of the first answer has been read; the second text then never comes.</summary>
        public Action? OnFirstText { get; init; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var body = JsonDocument.Parse(await request.Content!.ReadAsStringAsync(cancellationToken));
            string[] turns = [.. body.RootElement.GetProperty("messages").EnumerateArray().Select(static m => $"{m.GetProperty("role")}:{m.GetProperty("content")}")];
            Requests.Add(turns);
            if (RefuseFirst && Requests.Count == 1)
            {
                return new HttpResponseMessage(HttpStatusCode.TooManyRequests) { Content = new StringContent("""{"error": {"message": "Busy."}}""") };
            }

            var first = Event("You ", null);
            var rest = Event($"said {turns[^1]["user:".Length..]}.", Reason) + "data: [DONE]\n\n";
            var held = Requests.Count == 1 ? OnFirstText : null;
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = held is null ? new StringContent(first + rest) : new StreamContent(new HeldStream(first, held)),
            };
        }

        private static string Event(string text, string? reason) =>
            $$$"""data: {"choices": [{"delta": {"content": {{{JsonSerializer.Serialize(text)}}}}, "finish_reason": {{{JsonSerializer.Serialize(reason)}}}}]}""" + "\n\n";
    }

    /// <summary>Gives its text, then calls back and waits to be cancelled.</summary>
    private sealed class HeldStream(string text, Action onRead) : Stream
    {
        private bool _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_given)
            {
                _given = true;
                return System.Text.Encoding.UTF8.GetBytes(text, buffer.Span);
            }

            onRead();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
