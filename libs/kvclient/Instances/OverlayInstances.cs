using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Overlay;
using Parallax.Swarm;

namespace Parallax.KvClient.Instances;

/// <summary>
/// The instances that have records in the overlay, which is read again and again. One whose lease has run out is gone; when the
/// overlay cannot be read, those that are known stay until then.
/// </summary>
public sealed partial class OverlayInstances : IKvInstances, IAsyncDisposable
{
    private const int MostInstances = 256;

    private readonly IOverlay _overlay;
    private readonly SwarmCredentials _credentials;
    private readonly TimeSpan _pollEvery;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly long _origin;
    private readonly InstanceList _list = new();
    private readonly CancellationTokenSource _stopping = new();
    private ImmutableDictionary<PeerId, (KvInstance Instance, TimeSpan ExpiresAt)> _known = ImmutableDictionary<PeerId, (KvInstance, TimeSpan)>.Empty; // of the loop alone
    private Task _loop = Task.CompletedTask;

    /// <param name="overlay">The overlay of a member that has joined.</param>
    /// <param name="credentials">Says whose records count. Stay the caller's.</param>
    /// <param name="pollEvery">How often the overlay is read.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="logger">Log.</param>
    public OverlayInstances(IOverlay overlay, SwarmCredentials credentials, TimeSpan pollEvery, TimeProvider clock, ILogger<OverlayInstances> logger)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(pollEvery, TimeSpan.Zero);
        (_overlay, _credentials, _pollEvery, _clock, _logger) = (overlay, credentials, pollEvery, clock, logger);
        _origin = clock.GetTimestamp();
    }

    /// <inheritdoc/>
    public ImmutableArray<KvInstance> Current => _list.Current;

    /// <inheritdoc/>
    public Task Changed => _list.Changed;

    /// <summary>Begins to read.</summary>
    public void Start() => _loop = RunAsync(_stopping.Token);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                foreach (var found in await _overlay.GetAsync(SwarmNames.KvCache(_credentials.Swarm.ToString()), stop))
                {
                    Take(found);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogReadFailed(e);
            }

            var now = Now;
            _known = _known.RemoveRange(_known.Where(one => one.Value.ExpiresAt <= now).Select(static one => one.Key));
            _list.Set(_known.Values.Select(static one => one.Instance));
            await Task.Delay(_pollEvery, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private TimeSpan Now => _clock.GetElapsedTime(_origin);

    private void Take(FoundRecord found)
    {
        if (InstanceRecords.Read(_credentials, found, _clock.GetUtcNow(), out var problem) is not { } instance)
        {
            LogIgnored(found.Publisher, problem);
        }
        else if (_known.Count < MostInstances || _known.ContainsKey(instance.Id))
        {
            _known = _known.SetItem(instance.Id, (instance, Now + found.Remaining));
        }
    }

    [LoggerMessage(210, LogLevel.Error, "The instances of the KV cache could not be read; those that are known stay until their leases end")]
    private partial void LogReadFailed(Exception problem);

    [LoggerMessage(211, LogLevel.Warning, "What {Publisher} says of itself as an instance of the KV cache is ignored: {Problem}")]
    private partial void LogIgnored(PeerId publisher, string problem);
}
