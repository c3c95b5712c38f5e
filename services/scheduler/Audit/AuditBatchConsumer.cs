using MassTransit;
using Parallax.Bus;
using Parallax.Contracts.Messages;

namespace Parallax.Scheduler.Audit;

/// <summary>Takes batches of audit events from the bus into the event store.</summary>
internal sealed partial class AuditBatchConsumer(
    AuditIntake intake, BusOptions options, AuditInstruments instruments, ILogger<AuditBatchConsumer> logger)
    : IConsumer<AuditBatch>
{
    /// <summary>Says how often a batch has been put at the end of the queue.</summary>
    public const string RedeliveriesHeader = "Parallax-Redeliveries";

    /// <summary>Then it goes to the error queue.</summary>
    public const int MostRedeliveries = 5;

    private static readonly TimeSpan FirstPatience = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<AuditBatch> context)
    {
        var redeliveries = context.Headers.Get<int>(RedeliveriesHeader) ?? 0;
        try
        {
            // A message goes back into its queue only if it is this very token that ends the work on it; any other cancellation counts as an error.
            await intake.StoreAsync(AuditBatchCheck.Read(context.Message), FirstPatience * (1 << Math.Clamp(redeliveries, 0, MostRedeliveries)), context.CancellationToken);
        }
        catch (AuditRejectedException missing) when (missing.Kind == AuditRejection.Gap && redeliveries < MostRedeliveries && !options.IsMemory)
        {
            // The queue may have what is missing behind this batch.
            instruments.OnRedelivered();
            await BusForwarding.ForwardAsync(context, options, BusNames.Audit, headers => headers.Set(RedeliveriesHeader, redeliveries + 1));
            return;
        }
        catch (AuditRejectedException rejected)
        {
            if (rejected.Stream is { } stream)
            {
                intake.GiveUp(stream);
            }

            instruments.OnRejected(rejected.Kind);
            LogRejected(rejected.Kind, context.Message.Events?.Count ?? 0, rejected.Message);
            throw;
        }

        if (context.ResponseAddress is not null)
        {
            await context.RespondAsync(new AuditBatchStored(context.Message.Events.Count));
        }
    }

    [LoggerMessage(72, LogLevel.Error, "A batch of {Events} audit events goes to the error queue ({Kind}): {Problem}")]
    private partial void LogRejected(AuditRejection kind, int events, string problem);
}
