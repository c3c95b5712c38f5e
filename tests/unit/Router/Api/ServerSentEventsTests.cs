using System.Buffers;
using System.Text;
using Parallax.Router.Api;
using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Responses;
using Parallax.Router.Generation;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Testing;

namespace Parallax.UnitTests.Router.Api;

public class ServerSentEventsTests
{
    private static readonly AnswerStamp Stamp = new(7, 100, 1, 2, 3);

    private readonly AnswerFormat _format = new("chatcmpl-1", Stamp, "demo", "cpu-v1", new ByteTokenizer(), withLogProbs: false);

    [Fact]
    public void Write_RoleChunk_IsOneEventWithId()
    {
        Assert.Equal(
            $$"""
            id: chatcmpl-1:{{Stamp}}:-1
            data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"demo","system_fingerprint":"cpu-v1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}


            """.ReplaceLineEndings("\n"),
            Write(_format.IdAfter([ChoiceProgress.Opened], isUsageSent: false), _format.Role(0)));
    }

    [Fact]
    public void Write_TextWithLineBreaksAndScripts_StaysOneLine()
    {
        var text = Write("x", _format.Text(0, new AnswerDelta("a\nb\r\"ü漢😀\u2028", [], 0, null)));

        Assert.Equal(2, text.TrimEnd('\n').Count(static c => c == '\n') + 1);
        Assert.DoesNotContain('\r', text);
        Assert.Contains("a\\nb\\r\\\"ü漢", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Finish_HasEmptyDeltaAndReason()
    {
        Assert.Contains("""{"index":1,"delta":{},"finish_reason":"length"}""", Write("x", _format.Finish(1, "length")), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Usage_HasNoChoices()
    {
        var text = Write("x", _format.UsageOf(AnswerFormat.Usage(10, 5, 8)));

        Assert.EndsWith(
            "\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n",
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WriteDone_Is_TheKnownLine()
    {
        var output = new ArrayBufferWriter<byte>();
        ServerSentEvents.WriteDone(output);

        Assert.Equal("data: [DONE]\n\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void IdAfter_OfSeveralChoices_NamesEachsProgress()
    {
        ChoiceProgress[] choices = [new(4, ChoicePart.Text), ChoiceProgress.Opened, ChoiceProgress.Nothing, new(0, ChoicePart.Rest), new(0, ChoicePart.Finish)];

        Assert.Equal($"chatcmpl-1:{Stamp}:4,-1,_,0t,0f", _format.IdAfter(choices, isUsageSent: false));
        Assert.Equal($"chatcmpl-1:{Stamp}:4,-1,_,0t,0f:u", _format.IdAfter(choices, isUsageSent: true));
    }

    [Fact]
    public void WriteComment_WithLineBreaks_IsOneLineThatClientsSkip()
    {
        var output = new ArrayBufferWriter<byte>();
        ServerSentEvents.WriteComment(output, "a\ndata: b\r\nc");

        Assert.Equal(": a data: b c\n\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void Text_WithLogProbs_ShowsBytesAndAlternativesAndNoInfinities()
    {
        var format = new AnswerFormat("i", Stamp, "demo", "f", new ByteTokenizer(), withLogProbs: true);
        var token = new SessionToken(0, 0xC3, -0.5f, [new TokenLogProb('a', -0.5f), new TokenLogProb('b', float.NegativeInfinity)]);

        var entry = format.Text(0, new AnswerDelta("", [token], 0, null)).Choices[0].Logprobs!.Content[0];

        Assert.Equal([0xC3], entry.Bytes);
        Assert.Equal("\uFFFD", entry.Token);
        Assert.Equal(-0.5, entry.Logprob);
        Assert.Equal(["a", "b"], entry.TopLogprobs!.Select(static t => t.Token));
        Assert.Equal(-9999, entry.TopLogprobs![1].Logprob);
    }

    private static string Write(string id, ChatChunk chunk)
    {
        var output = new ArrayBufferWriter<byte>();
        ServerSentEvents.Write(output, id, chunk, RouterJsonContext.Api.ChatChunk);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
