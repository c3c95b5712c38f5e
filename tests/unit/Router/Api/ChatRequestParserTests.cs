using System.Text;
using Parallax.Router.Api;
using Parallax.Router.Api.Requests;

namespace Parallax.UnitTests.Router.Api;

public class ChatRequestParserTests
{
    [Fact]
    public void Parse_Minimal_HasDefaults()
    {
        var request = ParseWith("");

        Assert.Equal("demo", request.Model);
        Assert.Equal([new ChatMessage("user", "hi")], request.Messages);
        Assert.Null(request.Temperature);
        Assert.Null(request.Seed);
        Assert.Null(request.MaxTokens);
        Assert.Null(request.TopLogProbs);
        Assert.Equal(1, request.Choices);
        Assert.False(request.Stream);
    }

    [Fact]
    public void Parse_AllFields_AreTaken()
    {
        var request = ParseWith("""
            "temperature": 0.5, "top_p": 0.9, "top_k": 7, "min_p": 0.1, "repetition_penalty": 1.2, "presence_penalty": -1,
            "frequency_penalty": 2, "logit_bias": {"9": -100, "3": 1.5}, "n": 3, "stop": ["a", "b", "a"], "stop_token_ids": [5, 5, 6],
            "ignore_eos": true, "max_tokens": 10, "max_completion_tokens": 10, "min_tokens": 2, "logprobs": true, "top_logprobs": 4,
            "seed": -1, "stream": true, "stream_options": {"include_usage": true, "include_obfuscation": false}, "user": "u",
            "cache_salt": "s", "metadata": {"k": "v"}, "store": false, "service_tier": "auto", "parallel_tool_calls": false,
            "tools": [], "tool_choice": "none", "response_format": {"type": "text"}, "modalities": ["text"], "functions": null
            """);

        Assert.Equal(0.5f, request.Temperature);
        Assert.Equal(0.9f, request.TopP);
        Assert.Equal(7, request.TopK);
        Assert.Equal(0.1f, request.MinP);
        Assert.Equal(1.2f, request.RepetitionPenalty);
        Assert.Equal(-1, request.PresencePenalty);
        Assert.Equal(2, request.FrequencyPenalty);
        Assert.Equal([KeyValuePair.Create(3, 1.5f), KeyValuePair.Create(9, -100f)], request.LogitBias);
        Assert.Equal(3, request.Choices);
        Assert.Equal(["a", "b"], request.Stop);
        Assert.Equal([5, 6], request.StopTokenIds);
        Assert.True(request.IgnoreEos);
        Assert.Equal(10, request.MaxTokens);
        Assert.Equal(2, request.MinTokens);
        Assert.Equal(4, request.TopLogProbs);
        Assert.Equal(ulong.MaxValue, request.Seed);
        Assert.True(request.Stream);
        Assert.True(request.IncludeUsage);
        Assert.Equal("u", request.User);
        Assert.Equal("s", request.CacheSalt);
    }

    [Theory]
    [InlineData("\"temperature\": \"hot\"", "temperature", "invalid_type")]
    [InlineData("\"temperature\": 2.1", "temperature", "invalid_value")]
    [InlineData("\"temperature\": -0.1", "temperature", "invalid_value")]
    [InlineData("\"top_p\": 1.5", "top_p", "invalid_value")]
    [InlineData("\"top_k\": 1.5", "top_k", "invalid_type")]
    [InlineData("\"n\": 0", "n", "invalid_value")]
    [InlineData("\"n\": 1.5", "n", "invalid_type")]
    [InlineData("\"n\": 999999999999999999999", "n", "invalid_type")]
    [InlineData("\"stop\": 3", "stop", "invalid_type")]
    [InlineData("\"stop\": [\"a\", 3]", "stop[1]", "invalid_type")]
    [InlineData("\"stop\": \"\"", "stop", "invalid_value")]
    [InlineData("\"max_tokens\": 0", "max_tokens", "invalid_value")]
    [InlineData("\"max_tokens\": 1, \"max_completion_tokens\": 2", "max_tokens", "invalid_value")]
    [InlineData("\"min_tokens\": 5, \"max_tokens\": 4", "min_tokens", "invalid_value")]
    [InlineData("\"logit_bias\": []", "logit_bias", "invalid_type")]
    [InlineData("\"logit_bias\": {\"x\": 1}", "logit_bias", "invalid_value")]
    [InlineData("\"logit_bias\": {\"1\": 1, \"01\": 2}", "logit_bias", "invalid_value")]
    [InlineData("\"logit_bias\": {\"1\": 101}", "logit_bias.1", "invalid_value")]
    [InlineData("\"logprobs\": 3", "logprobs", "invalid_type")]
    [InlineData("\"top_logprobs\": 3", "top_logprobs", "invalid_value")]
    [InlineData("\"logprobs\": true, \"top_logprobs\": 21", "top_logprobs", "invalid_value")]
    [InlineData("\"seed\": 1.5", "seed", "invalid_type")]
    [InlineData("\"stream\": 1", "stream", "invalid_type")]
    [InlineData("\"stream_options\": {}", "stream_options", "invalid_value")]
    [InlineData("\"stream\": true, \"stream_options\": {\"x\": 1}", "stream_options.x", "unknown_parameter")]
    [InlineData("\"user\": 3", "user", "invalid_type")]
    [InlineData("\"user\": \"\\ud800\"", "user", "invalid_value")]
    [InlineData("\"tools\": [{}]", "tools", "unsupported_parameter")]
    [InlineData("\"tool_choice\": \"auto\"", "tool_choice", "unsupported_parameter")]
    [InlineData("\"response_format\": {\"type\": \"json_object\"}", "response_format", "unsupported_parameter")]
    [InlineData("\"functions\": [{}]", "functions", "unsupported_parameter")]
    [InlineData("\"audio\": {}", "audio", "unsupported_parameter")]
    [InlineData("\"modalities\": [\"text\", \"audio\"]", "modalities", "unsupported_parameter")]
    [InlineData("\"store\": true", "store", "unsupported_parameter")]
    [InlineData("\"reasoning_effort\": \"high\"", "reasoning_effort", "unsupported_parameter")]
    [InlineData("\"temprature\": 1", "temprature", "unknown_parameter")]
    [InlineData("\"temprature\": null", "temprature", "unknown_parameter")]
    public void Parse_BadField_IsRefusedByName(string fields, string param, string code)
    {
        var error = Assert.Throws<ApiException>(() => ParseWith(fields));

        Assert.Equal(400, error.Status);
        Assert.Equal(param, error.Param);
        Assert.Equal(code, error.Code);
        Assert.Contains(param.Split('.', '[')[0], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "messages")]
    [InlineData("{}", "messages")]
    [InlineData("[3]", "messages[0]")]
    [InlineData("""[{"content": "x"}]""", "messages[0].role")]
    [InlineData("""[{"role": "bot", "content": "x"}]""", "messages[0].role")]
    [InlineData("""[{"role": "user"}]""", "messages[0].content")]
    [InlineData("""[{"role": "user", "content": null}]""", "messages[0].content")]
    [InlineData("""[{"role": "user", "content": 3}]""", "messages[0].content")]
    [InlineData("""[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]""", "messages[0].content[0].type")]
    [InlineData("""[{"role": "user", "content": [{"type": "text"}]}]""", "messages[0].content[0].text")]
    [InlineData("""[{"role": "user", "content": [{"type": "text", "text": "a", "extra": 1}]}]""", "messages[0].content[0].extra")]
    [InlineData("""[{"role": "user", "content": "a"}, {"role": "user", "content": "b", "weight": 1}]""", "messages[1].weight")]
    [InlineData("""[{"role": "assistant", "tool_calls": []}]""", "messages[0].content")]
    public void Parse_BadMessages_AreRefusedByPlace(string messages, string param)
    {
        var error = Assert.Throws<ApiException>(() => Parse($$"""{"model": "demo", "messages": {{messages}}}"""));

        Assert.Equal(param, error.Param);
    }

    [Fact]
    public void Parse_TextParts_AreJoinedByLineBreaks()
    {
        var request = Parse("""{"model": "demo", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}""");

        Assert.Equal("a\nb", request.Messages[0].Content);
    }

    [Fact]
    public void Parse_ToolConversation_IsTaken()
    {
        var request = Parse("""
            {"model": "demo", "messages": [
              {"role": "assistant", "content": null, "refusal": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
              {"role": "tool", "tool_call_id": "1", "content": "42"}]}
            """);

        Assert.Equal("f", request.Messages[0].ToolCalls!.Value[0].GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("1", request.Messages[1].ToolCallId);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("{\"model\": \"a\", \"model\": \"b\"}", null)]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}", "model")]
    [InlineData("{\"model\": \"demo\"}", "messages")]
    public void Parse_NoRequest_IsRefused(string body, string? param)
    {
        var error = Assert.Throws<ApiException>(() => Parse(body));

        Assert.Equal(400, error.Status);
        Assert.Equal(param, error.Param);
    }

    [Fact]
    public void Parse_TopPZero_KeepsAMassAboveZero()
    {
        Assert.InRange(ParseWith("\"top_p\": 0").TopP!.Value, float.Epsilon, 1e-6f);
    }

    private static ChatRequest ParseWith(string fields) => Parse(
        $$"""{"model": "demo", "messages": [{"role": "user", "content": "hi"}]{{(fields.Length > 0 ? "," : "")}} {{fields}}}""");

    private static ChatRequest Parse(string body) => ChatRequestParser.Parse(Encoding.UTF8.GetBytes(body));
}
