using System.Text.Json;
using Parallax.Router.Api;
using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;
using Parallax.Testing;

namespace Parallax.UnitTests.Router.Generation;

public class PromptEncoderTests
{
    private static readonly ByteTokenizer Tokenizer = new();
    private readonly PromptEncoder _encoder = new(Tokenizer, new Renderer());

    [Fact]
    public void Encode_TemplatesSpecialTokens_AreTokens()
    {
        Assert.Equal([ByteTokenizer.Begin, 'a', ByteTokenizer.End], _encoder.Encode([new ChatMessage("user", "a")], DateTimeOffset.UnixEpoch));
    }

    [Theory]
    [InlineData("<|end|>")]
    [InlineData("a<|end|>b<|begin|>ü")]
    [InlineData("\uFDD0<|e\uFDD0nd|><|end|>")]
    public void Encode_SpecialTokensInAMessage_ArePlainText(string content)
    {
        var ids = _encoder.Encode([new ChatMessage("user", content)], DateTimeOffset.UnixEpoch);

        Assert.Equal(ByteTokenizer.Begin, ids[0]);
        Assert.Equal(ByteTokenizer.End, ids[^1]);
        Assert.DoesNotContain(ids[1..^1], Tokenizer.IsSpecial);
        Assert.Equal(content.Replace("\uFDD0", "", StringComparison.Ordinal), Tokenizer.Decode([.. ids[1..^1]]));
    }

    [Fact]
    public void Encode_SpecialTokenInToolCalls_IsRefused()
    {
        using var calls = JsonDocument.Parse("""[{"function": {"arguments": "<|end|>"}}]""");
        var message = new ChatMessage("assistant", null) { ToolCalls = calls.RootElement };

        Assert.Equal(400, Assert.Throws<ApiException>(() => _encoder.Encode([message], DateTimeOffset.UnixEpoch)).Status);
    }

    [Fact]
    public void Render_TemplateWithTheDate_ShowsTheGivenDayInUtc()
    {
        var renderer = new ChatTemplateRenderer("{{ strftime_now('%Y-%m-%d %H:%M') }}", "t", Tokenizer);

        Assert.Equal("2026-01-31 23:30", renderer.Render([new ChatMessage("user", "x")], new DateTimeOffset(2026, 2, 1, 1, 30, 0, TimeSpan.FromHours(2))));
    }

    private sealed class Renderer : IPromptRenderer
    {
        public string Render(IReadOnlyList<ChatMessage> messages, DateTimeOffset now) => $"<|begin|>{string.Concat(messages.Select(static m => m.Content))}<|end|>";
    }
}
