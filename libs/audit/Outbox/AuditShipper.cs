using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Audit.Log;

namespace Parallax.Audit.Outbox;

/// <summary>
/// Hands the events of a local log on, in order, for as long as it runs. What cannot be handed on waits in the log and is tried
/// again, without end.
/// </summary>
public sealed partial class AuditShipper(AuditLog log, IAuditTransport transport, TimeProvider clock, ILogger<AuditShipper> logger) : BackgroundService
{
    private const int MostEvents = 256;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50); // also gathers events that come close together
    private static readonly TimeSpan SendTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LastSendTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = LookEvery;
        while (true)
        {
            try
            {
                while (await ShipAsync(stoppingToken))
                {
                }

                if (log.Reader.Problem is not null)
                {
                    log.Reader.Problem = null;
                    LogShipping();
                }

                pause = LookEvery;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it was, the events are in the log, and nothing else can be done for them than to try again.
                if (log.Reader.Problem is null)
                {
                    LogWaiting(e.Message);
                }

                log.Reader.Problem = e.Message;
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
            }

            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Ends the log's term and hands on what is left, as far as that goes quickly: the rest is for the next run.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await log.CloseAsync();
        using var timeout = new CancellationTokenSource(LastSendTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            while (await ShipAsync(either.Token))
            {
            }
        }
        catch (Exception e)
        {
            LogLeft(e.Message); // the events are in the log
        }
    }

    /// <summary>Hands one batch on.</summary>
    /// <returns>Whether there was one.</returns>
    internal async Task<bool> ShipAsync(CancellationToken cancellationToken)
    {
        var events = log.Reader.Read(MostEvents);
        if (events.IsEmpty)
        {
            return false;
        }

        using var timeout = new CancellationTokenSource(SendTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await transport.SendAsync(events, either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Nobody took {events.Length} events within {SendTime.TotalSeconds:0} s.");
        }

        log.Reader.Advance();
        return true;
    }

    [LoggerMessage(70, LogLevel.Warning, "Audit events wait in the local log: {Problem}")]
    private partial void LogWaiting(string problem);

    [LoggerMessage(72, LogLevel.Warning, "Audit events stay in the local log until the next start: {Problem}")]
    private partial void LogLeft(string problem);

    [LoggerMessage(71, LogLevel.Information, "Audit events are handed on again")]
    private partial void LogShipping();
}
