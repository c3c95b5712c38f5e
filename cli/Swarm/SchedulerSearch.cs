using Grpc.Core;

namespace Parallax.Cli.Swarm;

/// <summary>What to do after a scheduler has not carried out a command.</summary>
internal enum SearchAction
{
    /// <summary>Ask at another address.</summary>
    Ask,

    /// <summary>Look into the plan who leads.</summary>
    LookUp,

    /// <summary>Try again in a moment: somebody will lead soon.</summary>
    Wait,

    /// <summary>It is refused, and asking again or elsewhere would change nothing.</summary>
    GiveUp,
}

/// <summary>The next step of a search for the scheduler that leads.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Address">Whom to ask; null for anything else.</param>
internal sealed record SearchStep(SearchAction Action, Uri? Address = null);

/// <summary>Finds the scheduler that leads, from what those say who do not. Pure.</summary>
internal static class SchedulerSearch
{
    private const string LeaderAddress = "parallax-leader-address";

    /// <summary>The next step.</summary>
    /// <param name="refusal">What came of the call.</param>
    /// <param name="asked">Who was asked.</param>
    /// <param name="isFirst">Whether that is the member the user named: it must answer, others may be gone.</param>
    public static SearchStep After(RpcException refusal, Uri asked, bool isFirst) => refusal.StatusCode switch
    {
        StatusCode.FailedPrecondition => Address(refusal.Trailers.GetValue(LeaderAddress)) is { } leader && leader != asked
            ? new SearchStep(SearchAction.Ask, leader)
            : new SearchStep(SearchAction.Wait),
        StatusCode.Unimplemented => new SearchStep(SearchAction.LookUp), // a member without a scheduler
        StatusCode.Unavailable when !IsUnanswered(refusal) => new SearchStep(SearchAction.Wait), // it says so itself: not yet, or not just now
        StatusCode.Unavailable or StatusCode.DeadlineExceeded when !isFirst => new SearchStep(SearchAction.LookUp), // gone: another one will lead
        _ => new SearchStep(SearchAction.GiveUp),
    };

    /// <summary>A member's address; null for anything else, which others may have written.</summary>
    public static Uri? Address(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps ? address : null;

    /// <summary>Whether nobody answered, as against an answer that says that it cannot be done.</summary>
    private static bool IsUnanswered(RpcException e) => e.Status.DebugException is not null;
}
