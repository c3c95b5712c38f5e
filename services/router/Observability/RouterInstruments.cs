using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Parallax.KvIndex.Index;
using Parallax.Router.Admission;

namespace Parallax.Router.Observability;

/// <summary>What the router counts: as instruments for listeners, and as Prometheus text.</summary>
internal sealed class RouterInstruments
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.Router";

    private static readonly string[] Outcomes = ["completed", "failed", "disconnected"];

    private readonly AdmissionGate _gate;
    private readonly Counter<long> _tokensCounter;
    private readonly Histogram<double> _duration;
    private readonly long[] _requests = new long[Outcomes.Length];
    private long _tokens;
    private long _reroutes;
    private long _expectedCached;
    private long _cached;
    private double _seconds;

    public RouterInstruments(IMeterFactory meters, AdmissionGate gate)
    {
        _gate = gate;
        var meter = meters.Create(MeterName);
        _tokensCounter = meter.CreateCounter<long>("parallax.router.tokens", "{token}", "Tokens sent to clients.");
        _duration = meter.CreateHistogram<double>("gen_ai.server.request.duration", "s", "From a request's turn to its end.");
        meter.CreateObservableGauge("parallax.router.sessions.running", () => gate.Load.InFlight, "{session}", "Sessions on workers.");
        meter.CreateObservableGauge("parallax.router.requests.waiting", () => gate.Load.QueuedRequests, "{request}", "Requests that wait for their turn.");
    }

    /// <summary>An answer's tokens have been generated.</summary>
    public void OnTokens(int count)
    {
        Interlocked.Add(ref _tokens, count);
        _tokensCounter.Add(count);
    }

    /// <summary>A session goes on over another path.</summary>
    public void OnRerouted() => Interlocked.Increment(ref _reroutes);

    /// <summary>A session has begun.</summary>
    /// <param name="expected">Tokens of its prompt that its path was expected to have cached.</param>
    /// <param name="cached">Tokens that it had, as the workers said.</param>
    public void OnPrefix(int expected, int cached)
    {
        Interlocked.Add(ref _expectedCached, expected);
        Interlocked.Add(ref _cached, cached);
    }

    /// <summary>A request that had its turn has ended.</summary>
    public void OnRequestEnded(string outcome, double seconds)
    {
        var index = Array.IndexOf(Outcomes, outcome);
        ArgumentOutOfRangeException.ThrowIfNegative(index, nameof(outcome));
        Interlocked.Increment(ref _requests[index]);
        _duration.Record(seconds, new KeyValuePair<string, object?>("outcome", outcome));
        double before;
        do
        {
            before = Volatile.Read(ref _seconds);
        }
        while (Interlocked.CompareExchange(ref _seconds, before + seconds, before) != before);
    }

    /// <summary>All values in Prometheus' text format.</summary>
    public string ToPrometheus(int workersServing, long auditLogBytes, PrefixIndexCounts index = default)
    {
        var load = _gate.Load;
        var text = new StringBuilder();
        Head("parallax_router_requests_total", "counter", "Requests that had their turn and have ended.");
        for (var i = 0; i < Outcomes.Length; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"parallax_router_requests_total{{outcome=\"{Outcomes[i]}\"}} {Interlocked.Read(ref _requests[i])}\n");
        }

        Value("parallax_router_request_seconds_total", "counter", "Time that these took together.", Volatile.Read(ref _seconds));
        Value("parallax_router_tokens_total", "counter", "Tokens sent to clients.", Interlocked.Read(ref _tokens));
        Value("parallax_router_sessions_running", "gauge", "Sessions on workers.", load.InFlight);
        Value("parallax_router_requests_waiting", "gauge", "Requests that wait for their turn.", load.QueuedRequests);
        Value("parallax_router_workers_serving", "gauge", "Workers that take new sessions.", workersServing);
        Value("parallax_router_reroutes_total", "counter", "Times that a session went on over another path.", Interlocked.Read(ref _reroutes));
        Value("parallax_router_audit_log_bytes", "gauge", "Bytes of the local audit log: what waits for the event store, and the newest files.", auditLogBytes);
        Value("parallax_router_prefix_expected_tokens_total", "counter", "Tokens of prompts that were expected to be cached on the path chosen.", Interlocked.Read(ref _expectedCached));
        Value("parallax_router_prefix_cached_tokens_total", "counter", "Tokens of prompts that were cached there, as workers said when sessions began.", Interlocked.Read(ref _cached));
        Value("parallax_router_prefix_index_blocks", "gauge", "Cached KV blocks of all workers that the prefix index knows.", index.Pairs);
        Value("parallax_router_prefix_index_workers", "gauge", "Workers whose cached KV blocks it knows completely.", index.Usable);
        Value("parallax_router_prefix_index_gaps_total", "counter", "Times that it missed something of a worker.", index.Gaps);
        Value("parallax_router_prefix_index_crowded_total", "counter", "Blocks that it gave up for want of room.", index.Crowded);
        return text.ToString();

        void Head(string name, string type, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

        void Value(string name, string type, string help, double value)
        {
            Head(name, type, help);
            text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
        }
    }
}
