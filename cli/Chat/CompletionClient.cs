using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Parallax.Cli.Chat;

/// <summary>A client of the OpenAI-compatible API. Used by one conversation at a time.</summary>
internal sealed class CompletionClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="server">The server's address, with or without <c>/v1</c>.</param>
    public CompletionClient(Uri server)
        : this(server, new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) })
    {
    }

    internal CompletionClient(Uri server, HttpMessageHandler handler)
    {
        var address = server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        Server = new Uri(address.EndsWith("/v1", StringComparison.Ordinal) ? address + "/" : address + "/v1/");

        // No time limit as a whole: a long answer is not a fault, and Ctrl-C is there.
        _http = new HttpClient(handler) { BaseAddress = Server, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The API key to send; null sends none.</summary>
    public string? ApiKey
    {
        init => _http.DefaultRequestHeaders.Authorization = value is null ? null : new AuthenticationHeaderValue("Bearer", value);
    }

    /// <summary>Where requests go, ending in <c>/v1/</c>.</summary>
    public Uri Server { get; }

    /// <summary>The model to use: the named one if the server has it, the first it has when none is named.</summary>
    /// <exception cref="ServerException">No server there, or it does not serve that model.</exception>
    public async Task<string> ReadModelAsync(string? named, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "models"), patience.Token);
            await using var body = await response.Content.ReadAsStreamAsync(patience.Token);
            using var document = await JsonDocument.ParseAsync(body, default, patience.Token);
            string[] models = [.. document.RootElement.GetProperty("data").EnumerateArray().Select(static m => m.GetProperty("id").GetString() ?? "")];
            return named is null ? models.FirstOrDefault() ?? throw new ServerException($"The server at {Server} serves no model.")
                : models.Contains(named) ? named
                : throw new ServerException($"The server does not serve '{named}'; it serves: {string.Join(", ", models)}.");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ServerException($"What answers at {Server} is no OpenAI-compatible server.", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServerException($"The server at {Server} took more than 10 seconds to answer.", e);
        }
    }

    /// <summary>Streams an answer. Cancelling closes the connection, which makes the server stop.</summary>
    /// <exception cref="ServerException">The server refused or failed, also in mid-answer.</exception>
    public async IAsyncEnumerable<CompletionEvent> StreamAsync(
        ChatSettings settings, IReadOnlyList<ChatTurn> turns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = Body(settings, turns) };
        using var response = await SendAsync(request, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(body, Encoding.UTF8);
        while (true)
        {
            string? line;
            try
            {
                line = await reader.ReadLineAsync(cancellationToken);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw new ServerException("The server ended the connection in mid-answer.", e);
            }

            if (line is null)
            {
                throw new ServerException("The server ended the connection in mid-answer.");
            }

            if (!line.StartsWith("data:", StringComparison.Ordinal))
            {
                continue;
            }

            var data = line.AsMemory(5).Trim();
            if (data.Span is "[DONE]")
            {
                yield break;
            }

            foreach (var part in Parse(data))
            {
                yield return part;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static List<CompletionEvent> Parse(ReadOnlyMemory<char> data)
    {
        try
        {
            using var document = JsonDocument.Parse(data);
            var root = document.RootElement;
            if (root.TryGetProperty("error", out var error))
            {
                throw new ServerException(error.GetProperty("message").GetString() ?? "The server failed.");
            }

            List<CompletionEvent> parts = [];
            foreach (var choice in root.GetProperty("choices").EnumerateArray())
            {
                if (choice.TryGetProperty("delta", out var delta)
                    && delta.TryGetProperty("content", out var content)
                    && content.GetString() is { Length: > 0 } text)
                {
                    parts.Add(new TextAdded(text));
                }

                if (choice.TryGetProperty("finish_reason", out var reason) && reason.GetString() is { } why)
                {
                    parts.Add(new AnswerFinished(why));
                }
            }

            return parts;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ServerException($"The server sent an event that is not understood: {data}", e);
        }
    }

    private static ByteArrayContent Body(ChatSettings settings, IReadOnlyList<ChatTurn> turns)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", settings.Model);
            json.WriteBoolean("stream", true);
            if (settings.Temperature is { } temperature)
            {
                json.WriteNumber("temperature", temperature);
            }

            if (settings.MaxTokens is { } most)
            {
                json.WriteNumber("max_tokens", most);
            }

            json.WriteStartArray("messages");
            foreach (var turn in turns)
            {
                json.WriteStartObject();
                json.WriteString("role", turn.Role);
                json.WriteString("content", turn.Content);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new ByteArrayContent(buffer.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new ServerException(
                $"No server answers at {Server.GetLeftPart(UriPartial.Authority)} ({e.HttpRequestError}). Start one with 'parallax run', or name another with --url.", e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw new ServerException(Explain(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken)));
        }
    }

    private static string Explain(HttpStatusCode status, string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var error = document.RootElement.GetProperty("error");
            var message = error.GetProperty("message").GetString();
            return error.TryGetProperty("code", out var code) && code.GetString() == "context_length_exceeded"
                ? $"{message} /reset begins anew."
                : $"{message}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"The server answered {(int)status} {status}.";
        }
    }
}
