using System.Net.Sockets;

namespace Parallax.Cli.Run;

/// <summary>The address to listen on cannot be had; the message says why and what to do.</summary>
internal sealed class AddressTakenException(string message, SocketException cause) : IOException(message, cause);
