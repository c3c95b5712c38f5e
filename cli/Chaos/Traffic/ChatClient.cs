using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Parallax.Cli.Chaos.Traffic;

/// <summary>Streams chat answers from the routers of a swarm and notes when each piece came. Thread-safe.</summary>
internal sealed class ChatClient : IDisposable
{
    /// <summary>The API key that it sends, where routers ask for one.</summary>
    public const string KeyVariable = "PARALLAX_API_KEY";

    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly ImmutableArray<Uri> _routers;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _stuckAfter;
    private readonly OnBreak _onBreak;

    /// <param name="routers">Where the routers are; who loses one turns to the next.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="stuckAfter">How long nothing may come.</param>
    /// <param name="onBreak">What is done about a stream that breaks off.</param>
    public ChatClient(ImmutableArray<Uri> routers, TimeProvider clock, TimeSpan stuckAfter, OnBreak onBreak = OnBreak.Resume)
    {
        (_routers, _clock, _stuckAfter, _onBreak) = (routers, clock, stuckAfter, onBreak);
        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    /// <summary>The name of the model that is served.</summary>
    /// <exception cref="HttpRequestException">No router answers.</exception>
    public async Task<string> ModelAsync(CancellationToken cancellationToken)
    {
        var json = await _http.GetStringAsync(new Uri(_routers[0], "/v1/models"), cancellationToken);
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("data")[0].GetProperty("id").GetString()!;
    }

    /// <summary>Asks, and reads the answer to its end.</summary>
    /// <param name="question">What.</param>
    /// <param name="salt">Separates prefix caches.</param>
    /// <param name="onArrival">Told of tokens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="onComment">Told of comments in the stream, e.g. what the answer waits for.</param>
    public async Task<AskResult> AskAsync(
        ChatQuestion question, string salt, Action<Arrival>? onArrival, CancellationToken cancellationToken, Action<string>? onComment = null)
    {
        var ask = new Ask(question.With(salt), onArrival, onComment, _clock.GetTimestamp());
        using var patience = new CancellationTokenSource(_stuckAfter, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            while (true)
            {
                var problem = await TryAsync(ask, patience, either.Token);
                if (problem is null)
                {
                    return ask.End(AskOutcome.Complete, "");
                }

                if (!ask.MayGoOn(_onBreak))
                {
                    return ask.End(AskOutcome.Lost, problem);
                }

                ask.Problem = problem;
                await Task.Delay(AgainAfter, _clock, either.Token);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return ask.End(AskOutcome.Stuck, $"no token for {_stuckAfter.TotalSeconds} s after token {ask.Collector.LastIndex}{(ask.Problem.Length > 0 ? $"; before: {ask.Problem}" : "")}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>One attempt; what was wrong with it, or null when the answer is complete.</summary>
    private async Task<string?> TryAsync(Ask ask, CancellationTokenSource patience, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_routers[ask.Attempt++ % _routers.Length], "/v1/chat/completions"))
            {
                Content = new StringContent(ask.Body, Encoding.UTF8, "application/json"),
            };
            if (ask.Collector.LastEventId is { } id)
            {
                request.Headers.Add("Last-Event-ID", id);
            }

            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                ask.Failure = response.StatusCode switch
                {
                    HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => Failure.Refused,
                    >= HttpStatusCode.InternalServerError => Failure.Failed,
                    _ => Failure.Rejected,
                };
                return $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}";
            }

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            return await ReadAsync(ask, reader, patience, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            ask.Failure = Failure.Broken;
            return $"the connection broke after token {ask.Collector.LastIndex}: {e.Message}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            ask.Failure = Failure.Rejected;
            return $"an event after token {ask.Collector.LastIndex} makes no sense: {e.Message}";
        }
    }

    private async Task<string?> ReadAsync(Ask ask, StreamReader reader, CancellationTokenSource patience, CancellationToken cancellationToken)
    {
        var id = "";
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line[4..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                if (ask.Take(id, line[6..], _clock.GetTimestamp()))
                {
                    patience.CancelAfter(_stuckAfter);
                }

                id = "";
                if (ask.Collector.Error is { } error)
                {
                    ask.Failure = Failure.Failed;
                    return error;
                }
            }
            else if (line.StartsWith(':'))
            {
                ask.Comment(line[1..].Trim());
            }
        }

        ask.Failure = Failure.Broken;
        return ask.Collector.IsDone ? null : $"the stream ended after token {ask.Collector.LastIndex} without [DONE]";
    }

    private enum Failure
    {
        /// <summary>Nothing was started: another attempt is the same request.</summary>
        Refused,

        /// <summary>The connection is gone, and what becomes of the answer is not known.</summary>
        Broken,

        /// <summary>The answer failed.</summary>
        Failed,

        /// <summary>It makes no sense to ask that again.</summary>
        Rejected,
    }

    /// <summary>A request and how far it is.</summary>
    private sealed class Ask(string body, Action<Arrival>? onArrival, Action<string>? onComment, long sent)
    {
        private int _resumed;
        private int _restarted;
        private int _refused;
        private long? _first;
        private long? _last;

        public string Body => body;

        public AnswerCollector Collector { get; private set; } = new();

        public int Attempt { get; set; }

        public Failure Failure { get; set; }

        public string Problem { get; set; } = "";

        public void Comment(string text) => onComment?.Invoke(text);

        /// <summary>Takes an event; whether it brought tokens.</summary>
        public bool Take(string id, string data, long at)
        {
            var before = Collector.LastIndex;
            Collector.Add(id, data);
            if (Collector.LastIndex <= before)
            {
                return false;
            }

            onArrival?.Invoke(new Arrival(_last, at, Collector.LastIndex - before));
            _first ??= at;
            _last = at;
            return true;
        }

        /// <summary>Whether another attempt makes sense, and what for.</summary>
        public bool MayGoOn(OnBreak onBreak)
        {
            if (Failure == Failure.Refused)
            {
                _refused++;
                return true;
            }

            if (onBreak == OnBreak.Restart && Failure != Failure.Rejected)
            {
                _restarted++;
                Collector = new AnswerCollector();
                return true;
            }

            if (Failure != Failure.Broken)
            {
                return false;
            }

            _resumed++;
            return true;
        }

        public AskResult End(AskOutcome outcome, string problem) => new(outcome, Collector.Answer, problem)
        {
            Resumed = _resumed,
            Restarted = _restarted,
            Refused = _refused,
            Times = (sent, _first ?? 0, _last ?? 0),
        };
    }
}
