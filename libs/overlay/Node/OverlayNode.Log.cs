using Microsoft.Extensions.Logging;

namespace Parallax.Overlay.Node;

public sealed partial class OverlayNode
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Overlay peer {Peer} at {Address} joins through {Count} bootstrap addresses.")]
    private partial void LogStarted(string peer, Uri address, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Joined the overlay with {Count} peers known.")]
    private partial void LogJoined(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Overlay peer {Peer} at {Address} no longer answers.")]
    private partial void LogPeerLost(string peer, Uri address);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A call to the overlay peer at {Address} failed: {Why}.")]
    private partial void LogCallFailed(Uri address, string why);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} peers hold a newer record of this peer than incarnation {Incarnation} publishes: an incarnation must be larger at each start.")]
    private partial void LogNewerHeld(int count, long incarnation);

    [LoggerMessage(Level = LogLevel.Error, Message = "The overlay's upkeep failed.")]
    private partial void LogTickFailed(Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The end of a call to the overlay peer at {Address} could not be handled.")]
    private partial void LogCallBroke(Exception error, Uri address);
}
