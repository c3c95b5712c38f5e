using Parallax.Pipeline.Batching;
using Parallax.Runtime.Execution;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// At the head: which of the sessions whose tokens are back go into the step at hand, so that several micro-batches
/// travel at once and no stage idles. What they may be is <see cref="MicroBatchGate"/>'s to say, how many
/// <see cref="MicroBatchTuner"/>'s.
/// </summary>
internal sealed partial class StageLoop
{
    private readonly MicroBatchGate _gate = new();
    private readonly Dictionary<StagePeer, HeadPath> _headPaths = [];
    private long _readyCount;
    private TimeSpan _now;
    private TimeSpan _gateDue = TimeSpan.MaxValue;

    public override TimeSpan NextDue => base.NextDue < _gateDue ? base.NextDue : _gateDue;

    public override void Expire(TimeSpan now)
    {
        _now = now;
        base.Expire(now);
    }

    /// <summary>Chooses the sessions whose decode rows may go into the step at hand.</summary>
    /// <returns>Whether sessions decode whose rows are elsewhere in the ring.</returns>
    private bool ChooseDecodes(TimeSpan now)
    {
        _now = now;
        _gateDue = TimeSpan.MaxValue;
        var elsewhere = false;
        foreach (var path in _headPaths.Values)
        {
            path.Ready.Clear();
            path.Decoding = 0;
        }

        foreach (var session in Table.Sessions)
        {
            elsewhere |= session.AwaitsToken;
            session.MayDecode = false;
            if (_isHead && session.State == SessionState.Decoding && !session.IsPaused(Options.RunAhead))
            {
                var path = HeadPathOf(session);
                path.Decoding++;
                if (session.Remaining == 1)
                {
                    path.Ready.Add(session);
                }
            }
        }

        foreach (var path in _headPaths.Values)
        {
            elsewhere |= Choose(path, now);
        }

        return elsewhere;
    }

    private bool Choose(HeadPath path, TimeSpan now)
    {
        path.Tuner.OnTokens(path.Tokens, path.Decoding, now);
        path.Tokens = 0;
        if (path.Ready.Count == 0)
        {
            return false;
        }

        path.Ready.Sort(static (a, b) => a.ReadySince.CompareTo(b.ReadySince));
        var microBatches = _stage.MicroBatches ?? path.Tuner.M(path.Decoding);
        var allowed = _gate.Allowance(path.Key, microBatches, path.Decoding, path.Ready.Count, now);
        for (var i = 0; i < allowed; i++)
        {
            path.Ready[i].MayDecode = true;
        }

        if (allowed == path.Ready.Count)
        {
            return false;
        }

        var due = _gate.NextDue(path.Key, now);
        _gateDue = due < _gateDue ? due : _gateDue;
        return true;
    }

    /// <summary>Notes which sessions' rows the step at hand sends on their way.</summary>
    private void Launch(TimeSpan now)
    {
        foreach (var path in _headPaths.Values)
        {
            path.Launched = 0;
        }

        foreach (var part in _parts)
        {
            if (part.Session is { MayDecode: true } && !part.IsRebuild)
            {
                HeadPathOf(part.Session).Launched++;
            }
            else if (_isHead)
            {
                HeadPathOf(part.Session).Tuner.NotePrefill();
            }
        }

        foreach (var path in _headPaths.Values)
        {
            path.Group = path.Launched > 0 ? _gate.Launch(path.Key, path.Launched, now) : 0;
        }

        foreach (var part in _parts)
        {
            if (part.Session is { MayDecode: true } && !part.IsRebuild)
            {
                part.Session.Group = HeadPathOf(part.Session).Group;
            }
        }
    }

    /// <summary>A token of the session has come back.</summary>
    private void ReturnGroup(StageSession session, int tokens)
    {
        var path = HeadPathOf(session);
        path.Tokens += tokens;
        if (session.Group != 0)
        {
            _gate.Returned(path.Key, session.Group, _now);
            session.Group = 0;
        }
    }

    /// <summary>The session ended or gave its blocks back while its token was away.</summary>
    private void LeaveGroup(StageSession session)
    {
        if (session.Group != 0)
        {
            _gate.Left(HeadPathOf(session).Key, session.Group);
            session.Group = 0;
        }
    }

    private HeadPath HeadPathOf(StageSession session)
    {
        if (!_headPaths.TryGetValue(session.Next, out var path))
        {
            path = new HeadPath(session.Next.Id, session.Path);
            _headPaths.Add(session.Next, path);
        }

        return path;
    }

    /// <summary>The sessions of this head that go to one next hop.</summary>
    private sealed class HeadPath(string key, StagePath path)
    {
        public string Key { get; } = key;

        public MicroBatchTuner Tuner { get; } = new(path.Stages.Length, path.IsOnOneHost ? 1 : null);

        /// <summary>Sessions whose token is back.</summary>
        public List<StageSession> Ready { get; } = [];

        /// <summary>Sessions that decode, wherever their rows are.</summary>
        public int Decoding { get; set; }

        /// <summary>Tokens that have come back since the last step.</summary>
        public int Tokens { get; set; }

        /// <summary>Sessions of the step at hand.</summary>
        public int Launched { get; set; }

        /// <summary>Their group.</summary>
        public long Group { get; set; }
    }
}
