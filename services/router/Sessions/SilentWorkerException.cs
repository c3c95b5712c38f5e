namespace Parallax.Router.Sessions;

/// <summary>The worker's control stream is up, but nothing has come over it for too long.</summary>
internal sealed class SilentWorkerException(string message) : WorkerLinkException(message);
