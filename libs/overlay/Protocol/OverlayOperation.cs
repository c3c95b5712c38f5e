using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>Something that takes several calls. Owned by an <see cref="OverlayCore"/>, and single-threaded like it.</summary>
internal abstract class OverlayOperation
{
    /// <summary>Whether it wants nothing more.</summary>
    public bool IsDone { get; protected set; }

    /// <summary>A peer answered a call of this operation.</summary>
    public abstract void Answered(PeerContact from, OverlayAnswer answer, TimeSpan now);

    /// <summary>A peer did not answer a call of this operation.</summary>
    public abstract void Failed(PeerContact? from, TimeSpan now);

    /// <summary>Makes the calls that are due now.</summary>
    public virtual void Advance(TimeSpan now)
    {
    }
}
