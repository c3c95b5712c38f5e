namespace Parallax.EventStore.Appends;

/// <summary>How one of the appends of a transaction ended: with a result, or refused for an id of another event.</summary>
internal readonly record struct AppendOutcome(AppendResult? Result, EventIdTakenException? Refusal)
{
    public static AppendOutcome Of(AppendResult result) => new(result, null);

    public static AppendOutcome Of(EventIdTakenException refusal) => new(null, refusal);
}
