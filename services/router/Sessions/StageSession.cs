namespace Parallax.Router.Sessions;

/// <summary>A session as the link to one of its stages holds it.</summary>
/// <param name="Session">The session.</param>
/// <param name="Stage">Which of its stages the link leads to.</param>
internal readonly record struct StageSession(RemoteSession Session, int Stage);
