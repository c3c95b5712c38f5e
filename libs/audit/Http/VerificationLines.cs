using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Parallax.Audit.Events;
using Parallax.Audit.Verify;
using Parallax.EventStore;
using Parallax.Runtime;

namespace Parallax.Audit.Http;

/// <summary>A verification as lines that come while it runs.</summary>
public static class VerificationLines
{
    /// <summary>Runs one. Progress that nobody takes in time is dropped; findings and the outcome are not.</summary>
    /// <param name="store">The store.</param>
    /// <param name="options">What to compare with.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="heads">Given the heads that were seen, before the outcome; null gives them to nobody.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async IAsyncEnumerable<VerifyLine> RunAsync(
        IEventStore store, VerifyOptions options, TimeProvider clock, Action<ImmutableArray<StreamHead>>? heads, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var progress = Channel.CreateBounded<long>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var running = RunToEndAsync();
        try
        {
            await foreach (var events in progress.Reader.ReadAllAsync(cancellationToken))
            {
                yield return new VerifyLine(Progress: events);
            }
        }
        finally
        {
            await end.CancelAsync();
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        VerificationReport? report = null;
        string? error = null;
        try
        {
            report = await running;
        }
        catch (ParallaxException problem)
        {
            error = problem.Message;
        }

        if (report is null)
        {
            yield return new VerifyLine(Error: error);
            yield break;
        }

        heads?.Invoke(report.Heads);
        foreach (var finding in report.Findings)
        {
            yield return new VerifyLine(Finding: FindingLine.Of(finding));
        }

        yield return new VerifyLine(Result: VerifyResult.Of(report));

        async Task<VerificationReport> RunToEndAsync()
        {
            try
            {
                return await Verification.RunAsync(store, options, clock, new Reports(progress.Writer), end.Token);
            }
            finally
            {
                progress.Writer.Complete();
            }
        }
    }

    private sealed class Reports(ChannelWriter<long> progress) : IProgress<long>
    {
        public void Report(long value) => progress.TryWrite(value);
    }
}
