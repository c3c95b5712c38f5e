using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>What to do with a run that arrived.</summary>
public enum RunAction
{
    /// <summary>Nothing: rows of an earlier connection, of another epoch, skipped or beyond a gap.</summary>
    Drop,

    /// <summary>Compute the rows given, in order, extending KV (token link: adopt the ids).</summary>
    Compute,

    /// <summary>Recompute the outputs of the rows given from KV; KV stays as it is.</summary>
    Rebuild,

    /// <summary>The run's kind has no place on this hop; count a refusal.</summary>
    Refuse,
}

/// <summary>A receiver's answer to a run.</summary>
/// <param name="Action">What to do.</param>
/// <param name="First">First position to compute or rebuild.</param>
/// <param name="Count">How many; 0 unless the action is Compute or Rebuild.</param>
/// <param name="Reply">A message for the previous hop, or one of kind None. A State's intervals: <see cref="HopReceiver.StateWant"/>.</param>
public readonly record struct RunDecision(RunAction Action, int First, int Count, FlowMessage Reply);
