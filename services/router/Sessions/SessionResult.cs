using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>How a session ended, seen from the router.</summary>
internal abstract record SessionResult
{
    /// <summary>The worker ended it.</summary>
    public sealed record Finished(FinishReason Reason, int PromptTokens, int CachedTokens, int GeneratedTokens, string Error) : SessionResult;

    /// <summary>The worker did not take it.</summary>
    public sealed record Refused(OpenRefusal? Reason, string Message) : SessionResult;

    /// <summary>The router lost it: the worker restarted or vanished, or somebody else took over.</summary>
    public sealed record Lost(string Message) : SessionResult;
}
