using MassTransit;
using Parallax.Contracts.Messages;
using Parallax.EventStore;

namespace Parallax.Scheduler.Commands;

/// <summary>Says where commands stand; any scheduler can.</summary>
internal sealed class CommandStatusConsumer(CommandStore commands) : IConsumer<GetCommand>, IConsumer<ListCommands>
{
    private const int MostAtOnce = 200;

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<GetCommand> context)
    {
        if (!CommandRequests.IsId(context.Message.Id))
        {
            await context.RespondAsync(new CommandFound(null));
            return;
        }

        try
        {
            var state = await commands.LoadAsync(context.Message.Id, context.CancellationToken);
            await context.RespondAsync(new CommandFound(state.ToStatus()));
        }
        catch (EventStoreException problem)
        {
            await context.RespondAsync(new CommandStatusUnknown(problem.Message));
        }
    }

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<ListCommands> context)
    {
        try
        {
            var latest = new Queue<string>();
            var most = Math.Clamp(context.Message.Most, 1, MostAtOnce);
            await foreach (var (_, id) in commands.ListedAsync(1, context.CancellationToken))
            {
                latest.Enqueue(id);
                if (latest.Count > most)
                {
                    latest.Dequeue();
                }
            }

            var found = new List<CommandStatus>();
            foreach (var id in latest.Reverse())
            {
                if ((await commands.LoadAsync(id, context.CancellationToken)).ToStatus() is { } status)
                {
                    found.Add(status);
                }
            }

            await context.RespondAsync(new CommandList(found));
        }
        catch (EventStoreException problem)
        {
            await context.RespondAsync(new CommandStatusUnknown(problem.Message));
        }
    }
}
