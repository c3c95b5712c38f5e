using System.Text;
using System.Text.Json;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>A seeded stream: the same bytes each time, whatever path it takes.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Tokens">How long it is.</param>
internal sealed record Story(string Model, int Seed, int Tokens)
{
    /// <summary>What is asked.</summary>
    public string Question { get; init; } = "Tell me a story.";

    /// <summary>Asks for it.</summary>
    public async Task<HttpResponseMessage> AskAsync(HttpClient http)
    {
        var body = JsonSerializer.Serialize(new
        {
            model = Model,
            stream = true,
            messages = new[] { new { role = "user", content = Question } },
            temperature = 1,
            ignore_eos = true,
            max_tokens = Tokens,
            seed = Seed,
        });
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>Reads it to its end: every event's choices and fingerprint, byte for byte.</summary>
    /// <param name="http">Whom to ask.</param>
    /// <param name="onEvent">Told of each event.</param>
    /// <exception cref="InvalidDataException">It failed.</exception>
    public async Task<string> ReadAsync(HttpClient http, Action? onEvent = null)
    {
        using var response = await AskAsync(http);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidDataException($"{response.StatusCode}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        }

        var text = new StringBuilder();
        var isDone = false;
        await foreach (var (_, data) in response.EventsAsync(TestContext.Current.CancellationToken))
        {
            if (data == "[DONE]")
            {
                isDone = true;
                continue;
            }

            using var document = JsonDocument.Parse(data);
            if (document.RootElement.TryGetProperty("error", out var error))
            {
                throw new InvalidDataException($"the stream ended with {error.GetRawText()}");
            }

            text.Append(document.RootElement.GetProperty("choices").GetRawText()).AppendLine(document.RootElement.GetProperty("system_fingerprint").GetRawText());
            onEvent?.Invoke();
        }

        return isDone ? text.ToString() : throw new InvalidDataException($"the stream ended early, after {text.Length} characters");
    }
}
