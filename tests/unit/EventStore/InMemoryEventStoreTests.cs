using Parallax.EventStore;
using Parallax.EventStore.Memory;

namespace Parallax.UnitTests.EventStore;

public class InMemoryEventStoreTests : EventStoreConformance
{
    [Fact]
    public async Task Append_WhenFull_SaysSoAndAppendsNothing()
    {
        await using var small = new InMemoryEventStore(TimeProvider.System, maxBytes: 2000);
        var large = Event("x") with { Payload = new byte[1000] };
        await small.AppendAsync("a", 0, [large], Token);

        var problem = await Assert.ThrowsAsync<EventStoreException>(() => small.AppendAsync("a", 1, [large with { Id = Guid.NewGuid() }], Token));
        Assert.Contains("full", problem.Message, StringComparison.Ordinal);
        Assert.Single(await small.ReadAsync("a", 1, Token).ToListAsync(Token));
    }

    protected override Task<IEventStore> CreateAsync(TimeProvider clock) => Task.FromResult<IEventStore>(new InMemoryEventStore(clock));
}
