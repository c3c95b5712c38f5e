namespace Parallax.Router.Sessions;

/// <summary>What is reserved for a session on its path; disposing gives it back. Thread-safe, and never waits.</summary>
internal interface ISessionPlaces : IDisposable
{
    /// <summary>The session's prompt is computed: no other prompt waits behind it any longer. May be said more than once.</summary>
    void PromptComputed();
}
