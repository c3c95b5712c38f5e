using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>A worker that the router has a link to. Immutable.</summary>
/// <param name="Link">The link.</param>
/// <param name="SwarmId">The worker's id on the live map that it was found on; null when options name it.</param>
internal sealed record Member(WorkerLink Link, string? SwarmId)
{
    /// <summary>What the map says of it; null when it says nothing, or no longer.</summary>
    public WorkerReport? Report { get; init; }

    /// <summary>The newest run of the worker that the link was dialled for.</summary>
    public long DialledIncarnation { get; init; }

    /// <summary>The worker has left the map; the link stays for its sessions.</summary>
    public bool IsRetired { get; init; }

    /// <summary>
    /// What the worker offers to new sessions at a time; null when it takes none. What the control stream says counts: a
    /// worker that cannot be connected offers nothing, whatever its record says, and neither does a run of the worker
    /// that its record knows to be over.
    /// </summary>
    /// <param name="now">When.</param>
    /// <param name="withLeaving">
    /// Whether a worker that says it will leave counts: it serves on until others have taken over, so that it is the last resort.
    /// </param>
    public WorkerOffer? OfferAt(long now, bool withLeaving = false)
    {
        if (IsRetired || Link.IsDraining || Link.Offer is not { } offer)
        {
            return null;
        }

        if (Report is not { } report || now >= report.ExpiresAt)
        {
            return SwarmId is null ? offer : null;
        }

        return report.Incarnation > offer.Incarnation || (report.Incarnation == offer.Incarnation && report.IsDraining && !withLeaving) ? null : offer;
    }

    /// <summary>The report, if it is about the run of the worker that makes this offer.</summary>
    public WorkerReport? ReportOf(WorkerOffer offer, long now) =>
        Report is { } report && report.Incarnation == offer.Incarnation && now < report.ExpiresAt ? report : null;
}
