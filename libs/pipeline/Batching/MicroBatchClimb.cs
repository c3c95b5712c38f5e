namespace Parallax.Pipeline.Batching;

/// <summary>
/// Climbs a hill towards the best M of one range of session counts: measures the present M, tries the next larger or
/// smaller one that would change the size of a group, and goes there when two windows of it are better by
/// <see cref="Margin"/>. M = 1 is tried early: a path whose stages share one machine is common, and its best M is far
/// from the start at M = S.
/// </summary>
internal sealed class MicroBatchClimb(int stages)
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

    private int _present = stages;
    private double _rate;

    // The session count that the rates belong to: those of other counts say nothing.
    private int _count;
    private int _trial;
    private int _trialWindows;
    private double _trialRate;
    private bool _early;
    private bool _triedOne;
    private int _direction = 1;
    private int _failures;
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
            if (_trial != 0)
            {
                // There is nothing to compare with any more.
                _triedOne &= !_early;
                EndTrial();
                return;
            }
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

    private void Judge(double rate)
    {
        _trialRate += rate;
        _trialWindows++;
        if (_trialRate / _trialWindows <= _rate * (1 + Margin))
        {
            // That 1 is bad says nothing about the neighbours.
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
            _failures = 0;
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

    /// <summary>In the direction that was good last, then in the other; after both, a pause.</summary>
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

        for (var i = 0; i < 2 && _wait == 0; i++)
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
        _direction = -_direction;
        if (++_failures == 2)
        {
            _failures = 0;
            _wait = _pause;
            _rateAtPause = _rate;
            _pause = Math.Min(2 * _pause, LongestPause);
        }
    }

    /// <summary>The next M whose groups have another size: a permit more or less than there are groups changes nothing.</summary>
    private int Neighbour(int present, int most)
    {
        var size = (_count + present - 1) / present;
        if (_direction < 0)
        {
            return ((_count + size - 1) / size) - 1;
        }

        var larger = size == 1 ? 0 : (_count + size - 2) / (size - 1);
        return larger <= most ? larger : 0;
    }
}
