namespace Parallax.Pipeline.Batching;

/// <summary>
/// Climbs a hill towards the best M of one range of session counts: measures the present M, tries the next larger and
/// smaller ones that would change the size of a group, and goes there when two windows of it are better by
/// <see cref="Margin"/>. The ones after next are tried as well: where a stage is slower than the others the hill has
/// small valleys. M = 1 is tried early: a path whose stages share one machine is common, and its best M is far from the
/// start at M = S, where nobody knows that they do.
/// </summary>
/// <param name="start">M at first.</param>
internal sealed class MicroBatchClimb(int start)
{
    /// <summary>How much better another M must be.</summary>
    internal const double Margin = 0.03;

    /// <summary>Windows between trials, at first.</summary>
    internal const int ShortestPause = 4;

    /// <summary>Windows between trials, when many have found nothing better.</summary>
    internal const int LongestPause = 64;

    /// <summary>A rate that differs so much from that of the last trials calls for new ones at once.</summary>
    internal const double Upheaval = 0.25;

    private const int TrialWindows = 2;

    // Next and previous, and the ones after these.
    private const int Attempts = 4;

    private int _present = start;
    private double _rate;

    // The session count that the rates belong to: those of other counts say nothing.
    private int _count;
    private int _trial;
    private int _trialWindows;
    private double _trialRate;
    private bool _early;
    private bool _triedOne;
    private int _direction = 1;
    private int _attempt;
    private int _pause = ShortestPause;
    private int _wait;
    private double _rateAtPause;

    /// <summary>The M to use now; more than there are sessions means one for each.</summary>
    public int M => _trial != 0 ? _trial : _present;

    /// <summary>A window was measured with <see cref="M"/>.</summary>
    /// <param name="rate">Tokens per second.</param>
    /// <param name="decoding">Sessions that decoded.</param>
    /// <param name="most">The largest M.</param>
    public void Measured(double rate, int decoding, int most)
    {
        if (decoding != _count)
        {
            _count = decoding;
            _rate = 0;
            _rateAtPause = 0;
            Interrupt();
        }

        if (_trial != 0)
        {
            Judge(rate);
            return;
        }

        _rate = _rate == 0 ? rate : _rate + ((rate - _rate) / 4);
        _rateAtPause = _rateAtPause == 0 ? _rate : _rateAtPause;
        if (_wait > 0 && Math.Abs(_rate - _rateAtPause) <= Upheaval * _rateAtPause)
        {
            _wait--;
            return;
        }

        if (_wait > 0)
        {
            _wait = 0;
            _pause = ShortestPause;
        }

        ChooseTrial(Math.Min(most, decoding));
    }

    /// <summary>Something else than M has changed the rate: a trial is put off, for as long as it takes.</summary>
    public void Interrupt()
    {
        _triedOne &= !_early;
        EndTrial();
    }

    private void Judge(double rate)
    {
        _trialRate += rate;
        _trialWindows++;
        if (_trialRate / _trialWindows <= _rate * (1 + Margin))
        {
            // That 1 is bad says nothing about the others.
            if (!_early)
            {
                NoteFailure();
            }

            EndTrial();
        }
        else if (_trialWindows == TrialWindows)
        {
            _direction = _trial > Math.Min(_present, _count) ? 1 : -1;
            _present = _trial;
            _rate = _trialRate / _trialWindows;
            _attempt = 0;
            _pause = ShortestPause;
            EndTrial();
        }
    }

    private void EndTrial()
    {
        _trial = 0;
        _trialWindows = 0;
        _trialRate = 0;
        _early = false;
    }

    /// <summary>In the direction that was good last, then in the other, then both farther away; after all, a pause.</summary>
    private void ChooseTrial(int most)
    {
        var present = Math.Min(_present, most);
        if (!_triedOne && present > 2)
        {
            _triedOne = true;
            _early = true;
            _trial = 1;
            return;
        }

        while (_wait == 0)
        {
            _trial = Neighbour(present, most);
            if (_trial != 0)
            {
                return;
            }

            NoteFailure();
        }
    }

    private void NoteFailure()
    {
        if (++_attempt == Attempts)
        {
            _attempt = 0;
            _wait = _pause;
            _rateAtPause = _rate;
            _pause = Math.Min(2 * _pause, LongestPause);
        }
    }

    /// <summary>The M of the present attempt; 0 for none.</summary>
    private int Neighbour(int present, int most)
    {
        var up = (_direction > 0) == (_attempt % 2 == 0);
        var m = present;
        for (var step = 0; step <= _attempt / 2 && m != 0; step++)
        {
            // A permit more or less than there are groups changes nothing: the next size is looked for.
            var size = (_count + m - 1) / m;
            m = !up ? ((_count + size - 1) / size) - 1
                : size == 1 ? 0
                : (_count + size - 2) / (size - 1);
        }

        return m <= most ? m : 0;
    }
}
