using MassTransit;
using Parallax.Contracts.Messages;
using Parallax.EventStore;

namespace Parallax.Scheduler.Commands;

/// <summary>
/// Writes commands down. Whoever leads carries them out from there, so that it does not matter which scheduler receives one, or whether
/// it lives on.
/// </summary>
internal sealed partial class SubmitCommandConsumer(
    CommandStore commands, TimeProvider clock, CommandInstruments instruments, ILogger<SubmitCommandConsumer> logger)
    : IConsumer<SubmitCommand>
{
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SubmitCommand> context)
    {
        if (CommandRequests.Unusable(context.Message) is { } problem)
        {
            throw Unusable(problem);
        }

        while (true)
        {
            try
            {
                await WriteDownAsync(context.Message, context.CancellationToken);
                return;
            }
            catch (EventStoreException away)
            {
                LogStoreAway(away.Message);
                await Task.Delay(StorePause, clock, context.CancellationToken); // the command waits, and those behind it in their queue
            }
        }
    }

    private async Task WriteDownAsync(SubmitCommand message, CancellationToken cancellationToken)
    {
        var read = CommandRequests.Read(message.Id, message.Kind, message.Request, out var problem);
        var subject = read is null ? "" : CommandRequests.Subject(read);
        while (true)
        {
            var state = await commands.LoadAsync(message.Id, cancellationToken);
            var events = CommandWorkflow.Submit(state, message, subject, problem)
                ?? throw Unusable($"Its id {message.Id} belongs to another command, a '{state.Submitted?.Kind}'; give each command an id of its own.");
            if (events.IsEmpty || await commands.TryAppendAsync(message.Id, state, events, cancellationToken))
            {
                foreach (var happened in events)
                {
                    instruments.OnStep(happened);
                    LogStep(message.Id, message.Kind, subject, happened.GetType().Name);
                }

                break;
            }
        }

        await commands.ListAsync(message.Id, cancellationToken); // also of a repeat: the process may have died between the two
    }

    private CommandRejectedException Unusable(string problem)
    {
        instruments.OnUnusable();
        LogUnusable(problem);
        return new CommandRejectedException(problem);
    }

    [LoggerMessage(80, LogLevel.Error, "A command goes to the error queue: {Problem}")]
    private partial void LogUnusable(string problem);

    [LoggerMessage(81, LogLevel.Error, "A command waits in its queue, because the event store cannot be used: {Problem}")]
    private partial void LogStoreAway(string problem);

    [LoggerMessage(82, LogLevel.Information, "Command {Id}, {Kind} {Subject}: {Event}")]
    private partial void LogStep(string id, string kind, string subject, string @event);
}
