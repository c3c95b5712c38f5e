using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Execution;

public class CommandQueueTests
{
    [Fact]
    public void Take_SeveralCommands_GivesThemInOrderOnce()
    {
        var queue = new CommandQueue(10);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(queue.Enqueue(new Command(CommandKind.Acknowledge, Value: i)));
        }

        Assert.Equal([0, 1, 2, 3, 4], queue.Take().Select(command => command.Value));
        Assert.Empty(queue.Take());
    }

    [Fact]
    public async Task Enqueue_Full_WaitsUntilTheConsumerTakes()
    {
        var queue = new CommandQueue(1);
        queue.Enqueue(new Command(CommandKind.Acknowledge, Value: 0));
        var second = Task.Run(() => queue.Enqueue(new Command(CommandKind.Acknowledge, Value: 1)), TestContext.Current.CancellationToken);
        var third = Task.Run(() => queue.Enqueue(new Command(CommandKind.Acknowledge, Value: 2)), TestContext.Current.CancellationToken);

        var taken = new List<int>();
        while (taken.Count < 3)
        {
            queue.Wait();
            var batch = queue.Take();
            Assert.Single(batch);
            taken.Add(batch[0].Value);
        }

        Assert.True(await second);
        Assert.True(await third);
        Assert.Equal([0, 1, 2], taken.Order());
    }

    [Fact]
    public void Enqueue_FullFromTheConsumerItselfOrUrgent_DoesNotWait()
    {
        var queue = new CommandQueue(1);
        queue.SetConsumer(Thread.CurrentThread);
        queue.Enqueue(new Command(CommandKind.Cancel));
        Assert.True(queue.Enqueue(new Command(CommandKind.Cancel)));
        queue.SetConsumer(new Thread(() => { }));
        Assert.True(queue.Enqueue(new Command(CommandKind.Stop), urgent: true));

        Assert.Equal(3, queue.Take().Count);
    }

    [Fact]
    public async Task Close_WaitingCallers_AreReleasedAndRefused()
    {
        var queue = new CommandQueue(1);
        queue.Enqueue(new Command(CommandKind.Start, SessionId.New()));
        var waiting = Task.Run(() => queue.Enqueue(new Command(CommandKind.Cancel)), TestContext.Current.CancellationToken);

        Assert.Equal(CommandKind.Start, queue.Close()[0].Kind);

        Assert.False(await waiting);
        Assert.False(queue.Enqueue(new Command(CommandKind.Cancel)));
        queue.Wait();
    }

    [Fact]
    public void Wait_Woken_ReturnsWithoutACommand()
    {
        var queue = new CommandQueue(1);
        queue.Wake();

        queue.Wait();

        Assert.Empty(queue.Take());
    }
}
