using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Parallax.Audit.Events;
using Parallax.Audit.Export;
using Parallax.Audit.Http;
using Parallax.Audit.Index;
using Parallax.Audit.Verify;
using Parallax.EventStore;

namespace Parallax.Cli.Audit;

/// <summary>A router that is asked over HTTP.</summary>
internal sealed class HttpSource : IAuditSource
{
    private const int MaxLine = 32 << 20; // an event has at most 8 MiB, in Base64 a third more

    private readonly HttpClient _http;
    private readonly Uri _address;

    /// <param name="address">The router's.</param>
    /// <param name="key">An API key that may read the audit; null sends none.</param>
    public HttpSource(Uri address, string? key)
    {
        _address = new Uri(address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/"), "audit/");
        _http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        if (key is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        }
    }

    public async Task<RequestPage> ListAsync(RequestFilter filter, string? after, int limit, CancellationToken cancellationToken)
    {
        var query = Query(filter);
        query.Add(("limit", limit.ToString(CultureInfo.InvariantCulture)));
        query.Add(("after", after));
        return await GetAsync(Path("requests", query), AuditApi.Json.RequestPage, cancellationToken) ?? throw Nothing();
    }

    public Task<RequestRow?> FindAsync(string id, CancellationToken cancellationToken) =>
        GetAsync($"requests/{Uri.EscapeDataString(id)}", AuditApi.Json.RequestRow, cancellationToken);

    public async IAsyncEnumerable<StoredEvent> EventsAsync(string? request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var line in LinesAsync(request is null ? "events" : $"requests/{Uri.EscapeDataString(request)}/events", cancellationToken))
        {
            yield return AuditLines.Read(line);
        }
    }

    public async Task<ImmutableArray<UsageRow>> UsageAsync(RequestFilter filter, CancellationToken cancellationToken) =>
        (await GetAsync(Path("usage", Query(filter)), AuditApi.Json.UsageAnswer, cancellationToken) ?? throw Nothing()).Data;

    public async Task<ImmutableArray<FailureRow>> FailuresAsync(DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken) =>
        (await GetAsync(Path("failures", Query(new RequestFilter { Since = since, Until = until })), AuditApi.Json.FailuresAnswer, cancellationToken) ?? throw Nothing()).Data;

    public async IAsyncEnumerable<VerifyLine> VerifyAsync(
        VerifyOptions options, Action<ImmutableArray<StreamHead>> heads, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (options.Remembered.Length > 0 || options.Writers.Count > 0)
        {
            throw new AuditCommandException("--remember and --writer need the event store itself: name it with --store in place of --url.");
        }

        await foreach (var line in LinesAsync(Path("verify", [("swarm", options.Swarm?.ToString())]), cancellationToken))
        {
            yield return Read(line, AuditApi.Json.VerifyLine);
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var answer = await SendAsync(path, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        await ThrowUnlessSuccessAsync(answer, cancellationToken);
        try
        {
            return await answer.Content.ReadFromJsonAsync(type, cancellationToken);
        }
        catch (JsonException problem)
        {
            throw new AuditCommandException($"{_address} answered with something else than the audit: {problem.Message}", problem);
        }
    }

    private async IAsyncEnumerable<string> LinesAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(path, cancellationToken);
        await ThrowUnlessSuccessAsync(answer, cancellationToken);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            yield return line.Length <= MaxLine ? line : throw new AuditCommandException($"{_address} answered with a line of {line.Length} characters.");
        }
    }

    private async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (IOException problem)
        {
            throw new AuditCommandException($"{_address} broke off: {problem.Message}", problem);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.GetAsync(new Uri(_address, path), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException problem)
        {
            throw new AuditCommandException($"{_address} does not answer: {problem.Message}", problem);
        }
    }

    private async Task ThrowUnlessSuccessAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.IsSuccessStatusCode)
        {
            return;
        }

        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        string message;
        try
        {
            message = JsonSerializer.Deserialize(text, AuditApi.Json.ErrorAnswer)?.Error?.Message ?? "";
        }
        catch (JsonException)
        {
            message = "it gave no reason; is it a router with an audit?";
        }

        throw new AuditCommandException(string.Create(CultureInfo.InvariantCulture, $"{_address} answered {(int)answer.StatusCode}: {message}"));
    }

    private T Read<T>(string line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line, type) ?? throw new JsonException("null");
        }
        catch (JsonException problem)
        {
            throw new AuditCommandException($"{_address} answered with something else than the audit: {problem.Message}", problem);
        }
    }

    private AuditCommandException Nothing() => new($"There is no audit at {_address}.");

    private static List<(string Name, string? Value)> Query(RequestFilter filter) =>
    [
        ("since", filter.Since?.ToString("O", CultureInfo.InvariantCulture)),
        ("until", filter.Until?.ToString("O", CultureInfo.InvariantCulture)),
        ("model", filter.Model),
        ("client", filter.Client),
        ("key", filter.Key),
        ("status", filter.Status?.Word()),
        ("worker", filter.Worker),
    ];

    private static string Path(string path, IEnumerable<(string Name, string? Value)> query) =>
        $"{path}?{string.Join('&', query.Where(static one => one.Value is not null).Select(static one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}"))}";
}
