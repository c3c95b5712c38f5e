using System.Collections.Concurrent;
using System.Diagnostics;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

/// <summary>One trace follows a request from its client's span through the router to the stages.</summary>
public sealed class TracingTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public TracingTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name.StartsWith("Parallax.", StringComparison.Ordinal) || source.Name == "Microsoft.AspNetCore",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Request_OfATracedClient_IsOneTraceThroughRouterAndWorker()
    {
        var engine = new ScriptedEngine { Answer = static _ => ['a', ByteTokenizer.End] };
        var trace = ActivityTraceId.CreateRandom();
        string id;
        await using (var cluster = await TestCluster.StartAsync(engine))
        {
            using var response = await cluster.PostAsync(traceParent: $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
            response.EnsureSuccessStatusCode();
            id = response.Headers.GetValues("x-request-id").Single();
        }

        var spans = _ended.Where(span => span.TraceId == trace).ToList();
        var chat = spans.Single(static span => span.OperationName == "chat");
        var stage = spans.Single(static span => span.OperationName == "stage");
        Assert.Equal(id, chat.GetTagItem("parallax.request"));
        Assert.Equal(chat.SpanId, stage.ParentSpanId);
        Assert.Contains(chat.Events, static happened => happened.Name == "route");
        Assert.Equal("Stop", stage.GetTagItem("parallax.reason"));
    }
}
