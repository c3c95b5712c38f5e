using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Lookup;

/// <summary>
/// An iterative lookup: asks the closest peers that it has heard of, at most <c>alpha</c> at once, until the closest ones
/// that answer have answered. Pure: whoever owns it makes the calls. Not thread-safe.
/// </summary>
internal sealed class PeerLookup
{
    /// <summary>Peers that one lookup asks at most: a peer that makes up others cannot keep it going.</summary>
    private const int MaxAsked = 160;

    /// <summary>Candidates that are kept; those farther away are forgotten.</summary>
    private const int MaxCandidates = 128;

    private readonly PeerId _target;
    private readonly int _alpha;
    private readonly TimeSpan _slowAfter;
    private readonly List<LookupCandidate> _candidates = []; // closest first
    private readonly HashSet<PeerId> _known = [];

    public PeerLookup(PeerId target, PeerContact self, IEnumerable<PeerContact> closest, int alpha, TimeSpan slowAfter)
    {
        (_target, _alpha, _slowAfter) = (target, alpha, slowAfter);
        Insert(self, 0);
        _candidates[0].State = CandidateState.Answered;
        foreach (var contact in closest)
        {
            Insert(contact, 1);
        }
    }

    /// <summary>Peers asked so far.</summary>
    public int Asked { get; private set; }

    public IReadOnlyList<LookupCandidate> Candidates => _candidates;

    /// <summary>The next peer to ask so that the closest <paramref name="window"/> answer; null: wait.</summary>
    public LookupCandidate? Next(int window, TimeSpan now)
    {
        var asked = 0;
        foreach (var candidate in _candidates)
        {
            asked += candidate.State == CandidateState.Asked && IsLive(candidate, now) ? 1 : 0;
        }

        if (asked >= _alpha || Asked >= MaxAsked)
        {
            return null;
        }

        var seen = 0;
        foreach (var candidate in _candidates)
        {
            if (!IsLive(candidate, now))
            {
                continue;
            }

            if (candidate.State == CandidateState.New)
            {
                candidate.State = CandidateState.Asked;
                candidate.AskedAt = now;
                Asked++;
                return candidate;
            }

            if (++seen == window)
            {
                break;
            }
        }

        return null;
    }

    /// <summary>Whether the closest <paramref name="window"/> that live have answered, or all of fewer.</summary>
    public bool IsConverged(int window, TimeSpan now)
    {
        var seen = 0;
        foreach (var candidate in _candidates)
        {
            if (!IsLive(candidate, now))
            {
                continue;
            }

            // Once no more may be asked, what has not been asked does not count.
            if (candidate.State == CandidateState.New && Asked >= MaxAsked)
            {
                continue;
            }

            if (candidate.State != CandidateState.Answered)
            {
                return false;
            }

            if (++seen == window)
            {
                return true;
            }
        }

        // Too few are left: the slow ones are waited for until they fail.
        return !_candidates.Any(static candidate => candidate.State == CandidateState.Asked);
    }

    /// <summary>A candidate answered and named peers.</summary>
    public void Answered(PeerId id, IEnumerable<PeerContact> peers)
    {
        if (Find(id) is not { } candidate)
        {
            return;
        }

        candidate.State = CandidateState.Answered;
        foreach (var contact in peers)
        {
            Insert(contact, candidate.Hop + 1);
        }
    }

    public void Failed(PeerId id)
    {
        if (Find(id) is { } candidate)
        {
            candidate.State = CandidateState.Failed;
        }
    }

    /// <summary>The longest chain of calls behind the closest <paramref name="window"/> that answered.</summary>
    public int Hops(int window) =>
        _candidates.Where(static candidate => candidate.State == CandidateState.Answered).Take(window).Select(static candidate => candidate.Hop).DefaultIfEmpty().Max();

    public LookupCandidate? Find(PeerId id) => _candidates.Find(candidate => candidate.Contact.Id == id);

    // One that has not answered within a third of the timeout is passed by, and counts again when it does answer.
    private bool IsLive(LookupCandidate candidate, TimeSpan now) =>
        candidate.State != CandidateState.Failed && (candidate.State != CandidateState.Asked || now - candidate.AskedAt < _slowAfter);

    private void Insert(PeerContact contact, int hop)
    {
        if (!_known.Add(contact.Id))
        {
            return;
        }

        var distance = contact.Id.DistanceTo(_target);
        var at = _candidates.Count;
        while (at > 0 && _candidates[at - 1].Distance > distance)
        {
            at--;
        }

        _candidates.Insert(at, new LookupCandidate(contact, distance, hop));
        if (_candidates.Count > MaxCandidates)
        {
            // The farthest that has not been asked goes; one that is being asked must be found when it answers.
            var farthest = _candidates.FindLastIndex(static candidate => candidate.State == CandidateState.New);
            if (farthest >= 0)
            {
                _candidates.RemoveAt(farthest);
            }
        }
    }
}
