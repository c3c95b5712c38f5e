namespace Parallax.Overlay.Routing;

/// <summary>What a peer's answer changed.</summary>
internal enum BucketChange
{
    /// <summary>It was there and is now the most recently seen.</summary>
    Updated,

    /// <summary>It took a place.</summary>
    Added,

    /// <summary>The bucket is full: it waits in the replacement cache.</summary>
    Waits,

    /// <summary>Its network has its share of the bucket.</summary>
    NetworkRefused,
}
