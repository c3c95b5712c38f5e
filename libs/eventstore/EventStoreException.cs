using Parallax.Runtime;

namespace Parallax.EventStore;

/// <summary>The store cannot be opened or used; the message says which, why, and what to do.</summary>
public sealed class EventStoreException(string message, Exception? cause = null) : ParallaxException(message, cause);
