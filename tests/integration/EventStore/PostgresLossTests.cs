using System.Text;
using Parallax.EventStore;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.EventStore;

/// <summary>A server that is killed and comes back.</summary>
public sealed class PostgresLossTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ServerKilled_NothingAcknowledgedIsLost_AndTheNextCallWorks()
    {
        var missing = await PostgresServer.MissingReasonAsync(Token);
        Assert.SkipWhen(missing is not null, missing ?? "");
        await using var server = await PostgresServer.StartNewAsync(Token);
        await using var store = EventStores.Open(await server.CreateDatabaseAsync(Token), TimeProvider.System);
        await using var other = EventStores.Open(server.AddressOf("test1"), TimeProvider.System);
        await store.AppendAsync("term", 0, [Event()], Token);
        var subscriber = other.SubscribeAsync(0, Token).ToListAsync(Token).AsTask();

        // Writers append until the server is gone under them; each repeats what failed until it is answered.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var begun = new TaskCompletionSource();
        var failures = 0;
        var writers = Enumerable.Range(0, 8).Select(writer => Task.Run(
            async () =>
            {
                var version = 0L;
                for (var added = Event(); !end.IsCancellationRequested;)
                {
                    try
                    {
                        // A conflict would be an event that was lost, or stored twice.
                        var appended = Assert.IsType<AppendResult.Appended>(await store.AppendAsync($"s{writer}", version, [added], Token));
                        Assert.Equal(version + 1, appended.Version);
                        (version, added) = (appended.Version, Event());
                        begun.TrySetResult();
                    }
                    catch (EventStoreException)
                    {
                        Interlocked.Increment(ref failures);
                        await Task.Delay(20, Token);
                    }
                }

                return version;
            },
            Token)).ToList();
        await begun.Task.WaitAsync(Token);
        await server.KillAsync(Token);
        await Assert.ThrowsAsync<EventStoreException>(() => store.ReadAsync("term", 1, Token).ToListAsync(Token).AsTask());
        await Assert.ThrowsAsync<EventStoreException>(() => subscriber);
        await server.StartAsync(Token);

        Assert.Single(await store.ReadAsync("term", 1, Token).ToListAsync(Token)); // at once, though all its connections were gone
        var resumed = (await other.ReadAllAsync(0, Token).ToListAsync(Token)).Count;
        var next = await other.SubscribeAsync(0, Token).Skip(resumed).FirstAsync(Token);
        Assert.True(next.Position > 0);
        await end.CancelAsync();
        var versions = await Task.WhenAll(writers);
        Assert.True(failures > 0);
        for (var writer = 0; writer < versions.Length; writer++)
        {
            Assert.Equal(
                Enumerable.Range(1, (int)versions[writer]).Select(static version => (long)version),
                (await store.ReadAsync($"s{writer}", 1, Token).ToListAsync(Token)).Select(static stored => stored.Version));
        }
    }

    private static NewEvent Event() => new(Guid.NewGuid(), "x", Encoding.UTF8.GetBytes("{}"));
}
