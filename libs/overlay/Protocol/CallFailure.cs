namespace Parallax.Overlay.Protocol;

/// <summary>Why a call has no answer.</summary>
internal enum CallFailure
{
    /// <summary>Nobody answered in time, or nobody is there.</summary>
    NoAnswer,

    /// <summary>The peer is there and refused the call.</summary>
    Refused,
}
