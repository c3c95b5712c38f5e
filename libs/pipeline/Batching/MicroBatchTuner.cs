using System.Numerics;

namespace Parallax.Pipeline.Batching;

/// <summary>
/// Chooses M, the number of micro-batches that the decoding sessions of one path travel in, from the tokens per second
/// that come back: small M for large batches, large M so that all stages compute at once; what is better depends on the
/// stages' machines, on the links, and on whether stages share a machine. Pure: times are parameters; equal calls give
/// equal answers. For one thread.
/// </summary>
/// <remarks>
/// What to try and when to go there is <see cref="MicroBatchClimb"/>'s, one for each range of session counts (1, 2, 3-4,
/// 5-8 ...); here are the windows that rates are measured in.
/// </remarks>
internal sealed class MicroBatchTuner
{
    /// <summary>Rounds (a token of each session) of a window, at least.</summary>
    internal const int WindowRounds = 8;

    /// <summary>Rounds after a change that are not measured: groups of the old size are still on their way.</summary>
    internal const int SettleRounds = 2;

    /// <summary>Length of a window, at least.</summary>
    internal static readonly TimeSpan WindowTime = TimeSpan.FromSeconds(0.2);

    private readonly int _stages;
    private readonly int _start;
    private readonly MicroBatchClimb?[] _climbs = new MicroBatchClimb?[33];
    private int _decoding;

    // The window: it begins when the settling tokens have come, and then ends at a whole number of rounds only, so that
    // it does not matter at which group of a round it began.
    private long _settle;
    private long _tokens;
    private TimeSpan? _begun;
    private bool _prefills;

    /// <param name="stages">S.</param>
    /// <param name="start">M before anything is measured; null for S.</param>
    public MicroBatchTuner(int stages, int? start = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        _stages = stages;
        _start = start ?? stages;
        ArgumentOutOfRangeException.ThrowIfLessThan(_start, 1, nameof(start));
    }

    /// <summary>
    /// M for this many decoding sessions: in [1, 2S], and no more than there are sessions. While the head computes
    /// prompts no more than S: then each group costs a step of prompt rows at every stage.
    /// </summary>
    public int M(int decoding)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(decoding);
        Turn(decoding);
        return decoding == 0 ? 1 : Math.Min(_prefills ? Math.Min(ClimbOf(decoding).M, _stages) : ClimbOf(decoding).M, decoding);
    }

    /// <summary>Tokens of decoding sessions have come back.</summary>
    /// <param name="tokens">How many.</param>
    /// <param name="decoding">Sessions that decode now; when that changes the window is discarded.</param>
    /// <param name="now">The time.</param>
    public void OnTokens(int tokens, int decoding, TimeSpan now)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        Turn(decoding);
        if (decoding == 0)
        {
            return;
        }

        var rounds = _tokens / decoding;
        _tokens += tokens;
        if (_begun is not { } begun)
        {
            if (_tokens >= _settle)
            {
                _tokens -= _settle;
                _begun = now;
                _prefills = false;
            }

            return;
        }

        var elapsed = now - begun;
        if (_tokens / decoding == rounds || _tokens / decoding < WindowRounds || elapsed < WindowTime)
        {
            return;
        }

        rounds = _tokens / decoding;
        _tokens -= rounds * decoding;
        _begun = now;
        var climb = ClimbOf(decoding);
        var before = climb.M;
        climb.Measured(rounds * decoding / elapsed.TotalSeconds, decoding, 2 * _stages);
        if (climb.M != before)
        {
            Discard();
        }
    }

    /// <summary>The head has computed rows of a prompt: the window says nothing about decoding and is discarded.</summary>
    public void NotePrefill()
    {
        _prefills = true;
        Interrupt();
    }

    private void Turn(int decoding)
    {
        if (decoding != _decoding)
        {
            Interrupt();
            _decoding = decoding;
            Discard();
        }
    }

    private void Interrupt()
    {
        if (_decoding > 0)
        {
            ClimbOf(_decoding).Interrupt();
        }

        Discard();
    }

    private void Discard()
    {
        _begun = null;
        _tokens = 0;
        _settle = (long)SettleRounds * _decoding;
    }

    private MicroBatchClimb ClimbOf(int decoding) =>
        _climbs[32 - BitOperations.LeadingZeroCount((uint)(decoding - 1))] ??= new MicroBatchClimb(_start);
}
