using NATS.Client.Core;
using Parallax.Swarm.Telemetry;
using Parallax.Testing.Servers;
using Parallax.Testing.Telemetry;

namespace Parallax.IntegrationTests.Telemetry;

/// <summary>What somebody with access to the server can send.</summary>
public sealed class NatsAbuseTests
{
    public NatsAbuseTests() => Assert.SkipWhen(NatsServerProcess.MissingReason is not null, NatsServerProcess.MissingReason ?? "");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flood_OfAHundredThousandMessages_IsBoundedAndCounted()
    {
        const int Messages = 100_000;
        const int Capacity = 1000;
        await using var server = await NatsServerProcess.StartAsync(new NatsServerConfig(), Token);
        await using var member = await NatsMember.ConnectedAsync(NatsMember.At(server) with { QueueCapacity = Capacity }, NatsMember.FreshSwarm());
        await using var stranger = NatsMember.Stranger(server);
        using var worker = new TestWorker();
        var subject = member.Subjects.Telemetry(worker.Id);
        var envelope = worker.Envelope(new string('x', 1000));
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 0; i < Messages; i++)
        {
            await stranger.PublishAsync(subject, envelope, serializer: NatsRawSerializer<byte[]>.Default, cancellationToken: Token);
        }

        await stranger.PublishAsync(subject, worker.Envelope("last"), serializer: NatsRawSerializer<byte[]>.Default, cancellationToken: Token);
        await member.UntilAsync(static news => news.Counts.Arrived == Messages + 1);

        Assert.Equal(Messages + 1 - Capacity, member.News.Counts.Dropped);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 32L * 1024 * 1024); // of 100 MB
        Assert.Single(member.Log.Warnings);
        await member.HearAsync("last"); // the newest is kept
        Assert.Equal(0, member.News.Incoming.Count);
        Assert.True(member.News.IsConnected);
    }

    [Fact]
    public async Task Malformed_IsRefusedByReasonAndTheRestIsHeard()
    {
        await using var server = await NatsServerProcess.StartAsync(new NatsServerConfig(), Token);
        await using var member = await NatsMember.ConnectedAsync(NatsMember.At(server), NatsMember.FreshSwarm());
        await using var stranger = NatsMember.Stranger(server);
        using var worker = new TestWorker();
        using var other = new TestWorker();
        var subject = member.Subjects.Record(worker.Id);

        await SendAsync(subject, []);
        await SendAsync(subject, new byte[NewsLimits.MaxEnvelopeBytes + 1]);
        await SendAsync(subject, new byte[900_000]);
        await SendAsync(subject, [1, 2, 3]);
        await SendAsync(subject, "{\"json\": true}"u8.ToArray());
        await SendAsync(subject, worker.Envelope("cut short")[..60]);
        await SendAsync(member.Subjects.Record("nobody"), worker.Envelope("no id"));
        await SendAsync(member.Subjects.Plan, [0xff]);
        await SendAsync(subject, other.Envelope("of somebody else"));
        await stranger.PublishAsync(subject, worker.Envelope("with headers, which nobody sends"), new NatsHeaders { ["x"] = new string('y', 100_000) }, serializer: NatsRawSerializer<byte[]>.Default, cancellationToken: Token);
        await SendAsync(subject, worker.Envelope("good"));

        await member.HearAsync("good");
        await member.UntilAsync(static news => news.Counts.Arrived == 11);
        Assert.Equal((3, 6, 1), (member.News.Refused(NewsRefusal.Size), member.News.Refused(NewsRefusal.Form), member.News.Refused(NewsRefusal.Foreign)));
        Assert.Equal(10, member.News.Counts.Refused);
        Assert.Single(member.Log.Warnings);

        async Task SendAsync(string to, byte[] payload) =>
            await stranger.PublishAsync(to, payload, serializer: NatsRawSerializer<byte[]>.Default, cancellationToken: Token);
    }
}
