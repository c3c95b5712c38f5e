using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Parallax.Bus.Commands;
using Parallax.Contracts.Messages;

namespace Parallax.Cli.Commands;

/// <summary>A client of a router's <c>/admin/commands</c>.</summary>
internal sealed class CommandsClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="router">The router's address.</param>
    /// <param name="key">An administrator's key; null: none.</param>
    /// <param name="handler">Sends the requests.</param>
    public CommandsClient(Uri router, string? key, HttpMessageHandler handler)
    {
        _http = new HttpClient(handler) { BaseAddress = router, Timeout = TimeSpan.FromSeconds(30) };
        if (key is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    /// <summary>Sends a command.</summary>
    /// <exception cref="CommandException">It is refused, or nobody is there.</exception>
    public async Task SubmitAsync(string id, string kind, IMessage request, TimeSpan time, CancellationToken cancellationToken)
    {
        using var parsed = JsonDocument.Parse(JsonFormatter.Default.Format(request));
        using var content = JsonContent.Create(new CommandBody(id, kind, parsed.RootElement, time.TotalSeconds), CommandJson.Default.CommandBody);
        await SendAsync(new HttpRequestMessage(HttpMethod.Post, "/admin/commands") { Content = content }, CommandJson.Default.CommandTicket, cancellationToken);
    }

    /// <summary>Where a command stands; null where no scheduler knows it yet.</summary>
    /// <exception cref="CommandException">Nobody can tell.</exception>
    public Task<CommandStatus?> GetAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, $"/admin/commands/{Uri.EscapeDataString(id)}"), CommandJson.Default.CommandStatus, cancellationToken);

    /// <summary>The latest commands, newest first.</summary>
    /// <exception cref="CommandException">Nobody can tell.</exception>
    public async Task<IReadOnlyList<CommandStatus>> ListAsync(int most, CancellationToken cancellationToken) =>
        (await SendAsync(
            new HttpRequestMessage(HttpMethod.Get, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/admin/commands?limit={most}")),
            CommandJson.Default.CommandPage,
            cancellationToken))?.Commands ?? [];

    public void Dispose() => _http.Dispose();

    private async Task<T?> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using (request)
        {
            try
            {
                using var response = await _http.SendAsync(request, cancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return await response.Content.ReadFromJsonAsync(type, cancellationToken);
                }

                var text = await response.Content.ReadAsStringAsync(cancellationToken);
                var error = ReadError(text);
                if (response.StatusCode == HttpStatusCode.NotFound && error?.Code == "command_unknown")
                {
                    return null;
                }

                throw new CommandException(
                    error?.Message ?? $"What answers at {_http.BaseAddress} does not take commands (HTTP {(int)response.StatusCode}): name a router that runs with --bus.");
            }
            catch (HttpRequestException e)
            {
                throw new CommandException($"No router answers at {_http.BaseAddress}: {e.Message} Name one with --router.", e);
            }
            catch (JsonException e)
            {
                throw new CommandException($"What answers at {_http.BaseAddress} does not take commands: {e.Message}", e);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new CommandException($"The router at {_http.BaseAddress} took more than {_http.Timeout.TotalSeconds:0} seconds to answer.", e);
            }
        }
    }

    private static CommandErrorText? ReadError(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, CommandJson.Default.CommandError)?.Error;
        }
        catch (JsonException)
        {
            return null; // not one of this API's
        }
    }
}
