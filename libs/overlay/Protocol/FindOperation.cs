using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Lookup;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>Looks for the k peers closest to a target.</summary>
internal sealed class FindOperation : OverlayOperation
{
    private readonly OverlayCore _core;
    private readonly PeerId _target;
    private readonly Action<IReadOnlyList<PeerContact>, TimeSpan> _found;
    private readonly PeerLookup _lookup;

    public FindOperation(OverlayCore core, PeerId target, Action<IReadOnlyList<PeerContact>, TimeSpan> found, TimeSpan now)
    {
        (_core, _target, _found) = (core, target, found);
        _lookup = core.StartLookup(target, now);
    }

    public override void Answered(PeerContact from, OverlayAnswer answer, TimeSpan now)
    {
        _lookup.Answered(from.Id, answer is FindNodeAnswer found ? found.Peers.Take(_core.Settings.K) : []);
        Advance(now);
    }

    public override void Failed(PeerContact? from, TimeSpan now)
    {
        _lookup.Failed(from!.Id);
        Advance(now);
    }

    public override void Advance(TimeSpan now)
    {
        if (IsDone)
        {
            return;
        }

        while (_lookup.Next(_core.Settings.K, now) is { } candidate)
        {
            _core.Call(this, candidate.Contact, new FindNodeCall(_target), now);
        }

        if (_lookup.IsConverged(_core.Settings.K, now))
        {
            IsDone = true;
            _core.Emit(new LookupDone("find", _lookup.Hops(_core.Settings.Quorum), _lookup.Asked));
            _found([.. _lookup.Candidates
                .Where(static candidate => candidate is { State: CandidateState.Answered, Hop: > 0 })
                .Select(static candidate => candidate.Contact).Take(_core.Settings.K)], now);
        }
    }
}
