using System.Text.Json;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.UnitTests.Chaos;

public sealed class AnswerCollectorTests
{
    [Fact]
    public void Add_WholeStream_GivesTheAnswer()
    {
        var collector = Collect();
        Assert.True(collector.IsDone);
        Assert.Null(collector.Error);
        Assert.Equal("r:1", collector.LastEventId);
        Assert.Equal(new StreamedAnswer("Hi", "length", 1, 5, 2, "{\"token\":\"H\"}\n{\"token\":\"i\"}\n", "fp"), collector.Answer);
    }

    [Fact]
    public void Add_EventsCutElsewhere_GiveTheSameAnswer()
    {
        var collector = new AnswerCollector();
        collector.Add("r:1", Event("Hi", "[{\"token\":\"H\"},{\"token\":\"i\"}]"));
        End(collector);
        Assert.Null(collector.Answer.DifferenceTo(Collect().Answer));
    }

    [Fact]
    public void Add_TokenAgain_IsAnError()
    {
        var collector = Collect();
        collector.Add("r:0", Event("H", "[]"));
        Assert.Equal("after token 1 came token 0", collector.Error);
    }

    [Fact]
    public void Add_ErrorEvent_IsTold()
    {
        var collector = new AnswerCollector();
        collector.Add("", """{"error":{"message":"The worker is gone.","code":"x"}}""");
        Assert.Equal("The worker is gone.", collector.Error);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"x\":1}")]
    public void Add_Nonsense_Throws(string data)
    {
        var error = Record.Exception(() => new AnswerCollector().Add("r:0", data));
        Assert.True(error is JsonException or InvalidOperationException or KeyNotFoundException, $"{error}");
    }

    [Fact]
    public void DifferenceTo_AnyChange_IsFound()
    {
        var expected = Collect().Answer;
        Assert.Contains("character 1 of 2", (expected with { Text = "Ho" }).DifferenceTo(expected), StringComparison.Ordinal);
        Assert.Contains("character 2 of 2", (expected with { Text = "Hi!" }).DifferenceTo(expected), StringComparison.Ordinal);
        Assert.Contains("from token 0", (expected with { LogProbs = "" }).DifferenceTo(expected), StringComparison.Ordinal);
        Assert.Contains("'stop'", (expected with { FinishReason = "stop" }).DifferenceTo(expected), StringComparison.Ordinal);
        Assert.NotNull((expected with { LastIndex = 2 }).DifferenceTo(expected));
        Assert.NotNull((expected with { AnswerTokens = 3 }).DifferenceTo(expected));
        Assert.NotNull((expected with { Fingerprint = "other" }).DifferenceTo(expected));
        Assert.Null((expected with { }).DifferenceTo(expected));
    }

    private static AnswerCollector Collect()
    {
        var collector = new AnswerCollector();
        collector.Add("r:-1", """{"system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""");
        collector.Add("r:0", Event("H", "[{\"token\":\"H\"}]"));
        collector.Add("r:1", Event("i", "[{\"token\":\"i\"}]"));
        End(collector);
        return collector;
    }

    private static void End(AnswerCollector collector)
    {
        collector.Add("r:1", """{"system_fingerprint":"fp","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}""");
        collector.Add("r:1", """{"system_fingerprint":"fp","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}""");
        collector.Add("", "[DONE]");
    }

    private static string Event(string text, string logProbs) =>
        $$$"""{"system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":"{{{text}}}"},"logprobs":{"content":{{{logProbs}}}},"finish_reason":null}]}""";
}
