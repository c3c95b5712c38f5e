using Grpc.Core;
using Parallax.Contracts.V1;

namespace Parallax.Router.Sessions;

internal sealed partial class WorkerLink
{
    /// <summary>How long a worker may take to say what it holds of a session.</summary>
    private static readonly TimeSpan AttachTime = TimeSpan.FromSeconds(2);

    /// <summary>Asks what the worker, as a head, holds of a session; null when it holds nothing or does not answer in time.</summary>
    public async Task<HeldAnswer?> AttachAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(AttachTime, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return RouterMapping.ToHeld(await _endpoint.Client.AttachAsync(request, cancellationToken: either.Token));
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            LogAttachFailed(Address, late.IsCancellationRequested ? "no answer in time" : e.Status.Detail);
            return null; // as if it held nothing: the answer is then generated again
        }
    }

    [LoggerMessage(27, LogLevel.Information, "Worker {Address} could not be asked for a session: {Problem}")]
    private partial void LogAttachFailed(Uri address, string problem);
}
