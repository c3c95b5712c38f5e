namespace Parallax.Runtime.Execution;

/// <summary>A session's way through the engine.</summary>
internal enum SessionState
{
    /// <summary>Its cached prefix is held; nothing runs before Start.</summary>
    Opened,

    /// <summary>Started, or interrupted for want of KV blocks: waits to be admitted.</summary>
    Waiting,

    /// <summary>Known tokens are being computed.</summary>
    Prefilling,

    /// <summary>One token per step.</summary>
    Decoding,

    /// <summary>Told its sink; holds nothing.</summary>
    Ended,
}
