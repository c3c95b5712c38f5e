using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>A path with places on it for the sessions of a request; disposing gives back those that no session has taken.</summary>
/// <param name="Path">The path.</param>
/// <param name="Reservation">The places.</param>
internal sealed record ReservedPath(WorkerPath Path, PathReservation Reservation) : IDisposable
{
    public void Dispose() => Reservation.Dispose();
}
