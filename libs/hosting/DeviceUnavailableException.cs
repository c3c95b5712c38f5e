using Parallax.Runtime;

namespace Parallax.Hosting;

/// <summary>The compute device asked for cannot be used here; the message says what is missing.</summary>
public sealed class DeviceUnavailableException(string message) : ParallaxException(message);
