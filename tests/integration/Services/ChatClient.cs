using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Parallax.IntegrationTests.Services;

/// <summary>Reads answers as a client does.</summary>
internal static class ChatClient
{
    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response)
    {
        using (response)
        {
            await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            using var document = await JsonDocument.ParseAsync(body, default, TestContext.Current.CancellationToken);
            return document.RootElement.Clone();
        }
    }

    public static string Text(this JsonElement completion, int choice = 0) =>
        completion.GetProperty("choices")[choice].GetProperty("message").GetProperty("content").GetString()!;

    public static string FinishReason(this JsonElement completion, int choice = 0) =>
        completion.GetProperty("choices")[choice].GetProperty("finish_reason").GetString()!;

    /// <summary>The error's code (or the code's absence as an empty text).</summary>
    public static string ErrorCode(this JsonElement body) => body.GetProperty("error").GetProperty("code").GetString() ?? "";

    /// <summary>The events of a stream as (id, data), until it ends.</summary>
    public static async IAsyncEnumerable<(string Id, string Data)> EventsAsync(
        this HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(body);
        var id = "";
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line[4..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                yield return (id, line[6..]);
                id = "";
            }
            else if (!line.StartsWith(':'))
            {
                Assert.Equal("", line); // else a comment
            }
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    public static async Task<StreamedAnswer> StreamAsync(this HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
            var answer = new StreamedAnswer();
            await foreach (var (id, data) in response.EventsAsync(TestContext.Current.CancellationToken))
            {
                answer.Add(id, data);
            }

            return answer;
        }
    }
}

/// <summary>What a stream said, all in all.</summary>
internal sealed class StreamedAnswer
{
    private readonly Dictionary<int, StringBuilder> _texts = [];

    public List<string> Ids { get; } = [];

    public List<JsonElement> Chunks { get; } = [];

    public Dictionary<int, string> FinishReasons { get; } = [];

    public JsonElement? Usage { get; private set; }

    public JsonElement? Error { get; private set; }

    public bool IsDone { get; private set; }

    public string Text(int choice = 0) => _texts.TryGetValue(choice, out var text) ? text.ToString() : "";

    /// <summary>The choice has been opened in a stream before this one.</summary>
    public void Expect(int choice) => _texts.Add(choice, new StringBuilder());

    public void Add(string id, string data)
    {
        Assert.False(IsDone);
        if (data == "[DONE]")
        {
            IsDone = true;
            return;
        }

        using var document = JsonDocument.Parse(data);
        var chunk = document.RootElement.Clone();
        if (chunk.TryGetProperty("error", out var error))
        {
            Error = error;
            return;
        }

        Ids.Add(id);
        Chunks.Add(chunk);
        if (chunk.TryGetProperty("usage", out var usage))
        {
            Usage = usage;
        }

        foreach (var choice in chunk.GetProperty("choices").EnumerateArray())
        {
            var index = choice.GetProperty("index").GetInt32();
            if (!_texts.TryGetValue(index, out var text))
            {
                Assert.Equal("assistant", choice.GetProperty("delta").GetProperty("role").GetString());
                _texts[index] = text = new StringBuilder();
            }

            if (choice.GetProperty("delta").TryGetProperty("content", out var content))
            {
                text.Append(content.GetString());
            }

            if (choice.GetProperty("finish_reason").GetString() is { } reason)
            {
                FinishReasons.Add(index, reason);
            }
        }
    }
}
