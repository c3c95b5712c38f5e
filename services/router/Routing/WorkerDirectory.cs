using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>The workers that the router was told of, with a link to each; owns the loops that keep the links up.</summary>
internal sealed class WorkerDirectory : IHostedService, IDisposable
{
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly WorkerLink[] _links;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;
    private int _disposed;

    public WorkerDirectory(RouterOptions options, WorkerLinkOptions linkOptions, TimeProvider clock, ILoggerFactory loggers)
    {
        _clock = clock;
        _links = [.. options.Workers.Select(address =>
            new WorkerLink(address, options.RouterId, linkOptions, clock, loggers.CreateLogger<WorkerLink>()))];
    }

    public IReadOnlyList<WorkerLink> Links => _links;

    /// <summary>The worker for a new session of <paramref name="model"/>, with what it serves; null when there is none.</summary>
    public (WorkerLink Link, WorkerOffer Offer)? Choose(string model)
    {
        var candidates = Array.ConvertAll(
            _links, static link => new PathCandidate(link.Address.Authority, link.IsServing ? link.Offer : null, link.SessionCount));
        return PathPolicy.Choose(model, candidates) is { } chosen ? (_links[chosen], candidates[chosen].Offer!) : null;
    }

    /// <summary>Why there is no worker for <paramref name="model"/>, for people.</summary>
    public string Problem(string model) => string.Join(" ", _links.Select(link => link switch
    {
        { Offer: { } offer } when offer.Model != model =>
            $"Worker {link.Address.Authority} serves '{offer.Model}', not '{model}'.",
        { Offer: { IsWhole: false } } => $"Worker {link.Address.Authority} holds a part of the model only.",
        _ => $"Worker {link.Address.Authority}: {link.Problem}.",
    }));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var stop = _stopping.Token;
        _loops = Task.WhenAll(_links.Select(link => Task.Run(() => link.RunAsync(stop), CancellationToken.None)));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The last requests' cancellations are still on their way; without them workers would hold the sessions until
        // their leases run out.
        var begin = _clock.GetTimestamp();
        while (_links.Any(static link => link is { Offer: not null, SessionCount: > 0 }) && _clock.GetElapsedTime(begin) < FarewellTime)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }
        }

        await _stopping.CancelAsync();
        await _loops;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return; // the container knows it under two names
        }

        _stopping.Cancel(); // a host whose start failed is disposed without having been stopped
        foreach (var link in _links)
        {
            link.Dispose();
        }

        _stopping.Dispose();
    }
}
