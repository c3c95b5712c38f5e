using NATS.Client.Core;
using Parallax.Contracts.Subjects;
using Parallax.IntegrationTests.Services;
using Parallax.Swarm.Telemetry;
using Parallax.Testing.Servers;
using Parallax.Testing.Telemetry;
using NatsTelemetry = Parallax.Swarm.Telemetry.NatsTelemetry;

namespace Parallax.IntegrationTests.Telemetry;

/// <summary>A member of a swarm, as far as its news goes.</summary>
internal sealed class NatsMember : IAsyncDisposable
{
    private static int _seed;

    public NatsMember(NatsOptions options, string swarm)
    {
        Subjects = new SwarmSubjects(swarm);
        News = new NatsTelemetry(options, swarm, "test", TimeProvider.System, Log, Interlocked.Increment(ref _seed));
    }

    public NatsTelemetry News { get; }

    public SwarmSubjects Subjects { get; }

    public TestWorker Worker { get; } = new();

    public LogRecorder<NatsTelemetry> Log { get; } = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A swarm's name that no other test has.</summary>
    public static string FreshSwarm() => $"test-{Guid.NewGuid():n}";

    public static NatsOptions At(NatsServerProcess server) => new() { Servers = [server.Address] };

    public static async Task<NatsMember> ConnectedAsync(NatsOptions options, string swarm)
    {
        var member = new NatsMember(options, swarm);
        await member.UntilAsync(static news => news.IsConnected);
        return member;
    }

    /// <summary>Another program's connection to a server, which may send what it likes.</summary>
    public static NatsConnection Stranger(NatsServerProcess server) => new(new NatsOpts { Url = server.Address.ToString() });

    public void Say(string text, long sequence = 1) => News.Publish(NewsKind.Worker, Worker.Id, Worker.Envelope(text, sequence));

    /// <summary>Reads on until a text arrives; what comes before is passed over.</summary>
    public async Task<SwarmNews> HearAsync(string text)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            while (true)
            {
                var news = await News.Incoming.ReadAsync(patience.Token);
                if (TestWorker.ValueOf(news.Envelope) == text)
                {
                    return news;
                }
            }
        }
        catch (OperationCanceledException e)
        {
            throw new InvalidOperationException($"'{text}' is not heard. {News.State}; {News.Counts}", e);
        }
    }

    public Task AbsentAsync(string problem) =>
        UntilAsync(news => !news.IsConnected && news.State.Problem.Contains(problem, StringComparison.Ordinal));

    /// <summary>Waits for a condition; when it does not come to be, the error says how things stand instead.</summary>
    public async Task UntilAsync(Func<NatsTelemetry, bool> condition)
    {
        try
        {
            await Eventually.TrueAsync(() => condition(News));
        }
        catch (OperationCanceledException e)
        {
            throw new InvalidOperationException($"It does not come to be. {News.State}; {News.Counts}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await News.DisposeAsync();
        Worker.Dispose();
    }
}
