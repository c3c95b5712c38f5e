namespace Parallax.Transport.Framing;

/// <summary>What a frame's body holds. The values are the wire's.</summary>
public enum FrameType
{
    /// <summary>No frame.</summary>
    None = 0,

    /// <summary>Row runs (<see cref="RowRun"/>).</summary>
    Rows = 1,

    /// <summary>Small messages of the flow (<see cref="FlowMessage"/>).</summary>
    Flow = 2,

    /// <summary>First frame of a connection in each direction (<see cref="HelloFrame"/>).</summary>
    Hello = 3,

    /// <summary>The sender has drained and will close; nothing follows.</summary>
    Goodbye = 4,

    /// <summary>A ping or its answer, on the heartbeat connection only (<see cref="HeartbeatFrame"/>).</summary>
    Heartbeat = 5,
}
