namespace Parallax.Overlay;

/// <summary>Why a call or a record was refused. Each is counted.</summary>
public enum OverlayRefusal
{
    /// <summary>Nothing was refused.</summary>
    None,

    /// <summary>The signature is not the publisher's.</summary>
    Forged,

    /// <summary>A newer record of the publisher is held, or another of the same version.</summary>
    Stale,

    /// <summary>The value, or what came with it, is too large.</summary>
    Oversized,

    /// <summary>Fields are missing or out of range.</summary>
    Malformed,

    /// <summary>It has no time left, or this version has lived its time here.</summary>
    Expired,

    /// <summary>The publisher's quota is used up.</summary>
    PublisherQuota,

    /// <summary>The key's quota is used up.</summary>
    KeyQuota,

    /// <summary>The sender's quota is used up.</summary>
    SenderQuota,

    /// <summary>The store is full.</summary>
    StoreFull,

    /// <summary>The caller calls too often.</summary>
    RateLimited,

    /// <summary>The caller claims an id that is not its certificate's, or a peer answers under another id.</summary>
    WrongIdentity,

    /// <summary>A bucket holds as many peers of that network as it may.</summary>
    NetworkShare,
}
