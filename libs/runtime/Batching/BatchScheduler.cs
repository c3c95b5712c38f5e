using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Batching;

/// <summary>
/// Continuous batching with chunked prefill: decides which sessions compute how many positions in the next step. Pure:
/// the plan is a function of the arguments (the fields are scratch space). A token's bits do not depend on what shares
/// its batch, so every plan gives the same tokens.
/// </summary>
/// <remarks>
/// Every runnable decoding session gets its row in each step, or, when the caller caps them, those that have been ready
/// for longest. Prefill gets what is left, at most <see cref="BatchLimits.MixedPrefillTokens"/> while anybody decodes; it
/// is dealt out block by block to the client with the least service and, within a client, evenly, so that a long prompt
/// delays nobody by more than a chunk. When blocks run out the youngest session gives its own back and recomputes later.
/// The oldest runnable session never does: it always progresses, and so, in turn, does everyone. Idle sessions (their
/// rows are elsewhere in the ring) count as older or younger like all others: a younger session takes nothing from an
/// idle one, but waits for it. So, where all stages of a path order sessions alike, the oldest loses its blocks at none.
/// </remarks>
internal sealed class BatchScheduler
{
    /// <summary>How often smaller sessions may be admitted before one that is next in turn but does not fit.</summary>
    internal const int BypassLimit = 16;

    private readonly BatchLimits _limits;
    private readonly List<UInt128> _computing = [];
    private int[] _available = new int[2];
    private long[] _promised = new long[2];
    private long[] _service = new long[16];
    private long[] _readySince = new long[16];
    private int[] _granted = new int[16];
    private bool[] _out = new bool[16];

    public BatchScheduler(BatchLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.MaxBatch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.TokenBudget, limits.MaxBatch);
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.TokenBudget, KvGroup.BlockTokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.MixedPrefillTokens, KvGroup.BlockTokens);
        _limits = limits;
    }

    /// <summary>Plans a step.</summary>
    /// <param name="sessions">All sessions, in order of arrival.</param>
    /// <param name="service">Rows computed so far per client.</param>
    /// <param name="room">Room in each KV group.</param>
    /// <param name="plan">Receives the decision.</param>
    /// <param name="maxDecodeRows">Decode rows in this step at most; those with the smallest <see cref="SessionView.ReadySince"/>.</param>
    /// <param name="othersDecode">
    /// Whether prefill is to be limited also when no decode row is in this step: sessions decode whose rows are elsewhere
    /// in the ring, and come back into the way of what is computed now.
    /// </param>
    public void Plan(
        ReadOnlySpan<SessionView> sessions,
        ReadOnlySpan<long> service,
        ReadOnlySpan<KvRoom> room,
        StepPlan plan,
        int maxDecodeRows = int.MaxValue,
        bool othersDecode = false)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfNegative(maxDecodeRows);
        plan.Clear();
        Prepare(sessions.Length, service, room);
        var (ready, latest, ties) = CapDecodes(sessions, maxDecodeRows);
        if (PlanDecodes(sessions, latest, ties, room.Length, plan))
        {
            Admit(sessions, room, plan);
            if (plan.Victim == StepPlan.None)
            {
                PlanPrefills(sessions, service, room.Length, mixed: ready > 0 || othersDecode, plan);
            }
        }

        if (plan.Victim != StepPlan.None || plan.Stuck != StepPlan.None)
        {
            plan.Slices.Clear();
            plan.Admitted.Clear();
            plan.Bypassed = StepPlan.None;
            plan.AdmittedPast = 0;
            plan.DecodeRows = 0;
            plan.PrefillRows = 0;
        }
    }

    private static void Fit<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            Array.Resize(ref array, Math.Max(length, array.Length * 2));
        }
    }

    private void Prepare(int sessions, ReadOnlySpan<long> service, ReadOnlySpan<KvRoom> room)
    {
        Fit(ref _available, room.Length);
        Fit(ref _promised, room.Length);
        Fit(ref _service, service.Length);
        Fit(ref _readySince, sessions);
        Fit(ref _granted, sessions);
        Fit(ref _out, sessions);
        for (var g = 0; g < room.Length; g++)
        {
            _available[g] = room[g].Available;
        }

        service.CopyTo(_service);
        _granted.AsSpan(0, sessions).Clear();
        _out.AsSpan(0, sessions).Clear();
        _computing.Clear();
    }

    /// <summary>
    /// Which runnable decoding sessions may have a row: those ready before <c>Latest</c>, and the first <c>Ties</c> of
    /// those ready at that time. <c>Ready</c> is the number of all, which may be more.
    /// </summary>
    private (int Ready, long Latest, int Ties) CapDecodes(ReadOnlySpan<SessionView> sessions, int cap)
    {
        var ready = 0;
        foreach (var session in sessions)
        {
            if (session.Phase == SessionPhase.Decoding && session.IsRunnable)
            {
                _readySince[ready++] = session.ReadySince;
            }
        }

        if (ready <= cap)
        {
            return (ready, long.MaxValue, int.MaxValue);
        }

        if (cap == 0)
        {
            return (ready, long.MinValue, 0);
        }

        var times = _readySince.AsSpan(0, ready);
        times.Sort();
        var latest = times[cap - 1];
        return (ready, latest, cap - times.IndexOf(latest));
    }

    /// <summary>One row for each session that may have one, oldest first; false when blocks must be given back first.</summary>
    private bool PlanDecodes(ReadOnlySpan<SessionView> sessions, long latest, int ties, int groups, StepPlan plan)
    {
        for (var i = 0; i < sessions.Length; i++)
        {
            var view = sessions[i];
            if (view.Phase != SessionPhase.Decoding || !view.IsRunnable || view.ReadySince > latest
                || (view.ReadySince == latest && ties-- <= 0))
            {
                continue;
            }

            if (!TryTakeBlocks(view, 0, 1, groups))
            {
                if (ChooseVictim(sessions, i, OldestRunnable(sessions, plan), plan))
                {
                    return false;
                }

                continue;
            }

            _granted[i] = 1;
            plan.Slices.Add(new PlannedSlice(i, 1));
            plan.DecodeRows++;
        }

        return true;
    }

    /// <summary>Admits waiting sessions, least served client first, while there are places and room for their known tokens.</summary>
    private void Admit(ReadOnlySpan<SessionView> sessions, ReadOnlySpan<KvRoom> room, StepPlan plan)
    {
        var places = _limits.MaxBatch;
        var alone = true;
        for (var g = 0; g < room.Length; g++)
        {
            _promised[g] = 0;
        }

        foreach (var session in sessions)
        {
            if (session.IsRunning)
            {
                places--;
                alone &= session is { Paused: true, Idle: false };
                Promise(session, room);
            }
        }

        if (places <= 0 && NextWaiting(sessions) != StepPlan.None)
        {
            // Somebody could run in the place of a session that waits for its router.
            plan.Victim = YoungestPaused(sessions);
            return;
        }

        while (places > 0)
        {
            var next = NextWaiting(sessions);
            if (next == StepPlan.None)
            {
                return;
            }

            var view = sessions[next];
            if (!alone && !HasRoom(view, room))
            {
                if (plan.Bypassed == StepPlan.None)
                {
                    plan.Bypassed = next;
                }

                if (view.Bypassed >= BypassLimit)
                {
                    return;
                }

                _out[next] = true;
                continue;
            }

            alone = false;
            places--;
            Promise(view, room);
            _service[view.Client] += view.Remaining;
            _out[next] = true;
            plan.Admitted.Add(next);
            plan.AdmittedPast += plan.Bypassed == StepPlan.None ? 0 : 1;
        }
    }

    private static int YoungestPaused(ReadOnlySpan<SessionView> sessions)
    {
        for (var i = sessions.Length - 1; i >= 0; i--)
        {
            if (sessions[i] is { IsRunning: true, Paused: true, Idle: false })
            {
                return i;
            }
        }

        return StepPlan.None;
    }

    private int NextWaiting(ReadOnlySpan<SessionView> sessions)
    {
        var best = StepPlan.None;
        for (var i = 0; i < sessions.Length; i++)
        {
            if (sessions[i] is { Phase: SessionPhase.Waiting, Paused: false } && !_out[i]
                && (best == StepPlan.None || _service[sessions[i].Client] < _service[sessions[best].Client]))
            {
                best = i;
            }
        }

        return best;
    }

    /// <summary>Sets aside what a running session still takes for its known tokens, and a block for its answer.</summary>
    private void Promise(in SessionView session, ReadOnlySpan<KvRoom> room)
    {
        for (var g = 0; g < room.Length; g++)
        {
            _promised[g] += NeedOf(session, room[g]);
        }
    }

    private bool HasRoom(in SessionView session, ReadOnlySpan<KvRoom> room)
    {
        for (var g = 0; g < room.Length; g++)
        {
            if (_promised[g] + NeedOf(session, room[g]) > room[g].Available)
            {
                return false;
            }
        }

        return true;
    }

    private static int NeedOf(in SessionView session, KvRoom room)
    {
        var blocks = KvSequence.BlocksFor(Math.Max(session.Applied + session.Remaining, session.Known)) - session.CoveredBlocks;
        return Math.Min(Math.Max(0, blocks), room.PeakPerSession) + 1;
    }

    /// <summary>Deals the rest of the budget out, a block at a time.</summary>
    private void PlanPrefills(ReadOnlySpan<SessionView> sessions, ReadOnlySpan<long> service, int groups, bool mixed, StepPlan plan)
    {
        service.CopyTo(_service);
        _out.AsSpan(0, sessions.Length).Clear();
        var budget = _limits.TokenBudget - plan.DecodeRows;
        if (mixed)
        {
            budget = Math.Min(budget, _limits.MixedPrefillTokens);
        }

        while (budget > 0)
        {
            var next = NextPrefill(sessions, plan);
            if (next == StepPlan.None)
            {
                break;
            }

            var view = sessions[next];
            var granted = _granted[next];
            if (granted == 0 && view.NextBlock is { } block)
            {
                if (_computing.Contains(block))
                {
                    // Another session computes this block in this step; this one takes it from the cache after.
                    _out[next] = true;
                    continue;
                }

                _computing.Add(block);
            }

            var count = KvGroup.BlockTokens - ((view.Applied + granted) % KvGroup.BlockTokens);
            count = Math.Min(Math.Min(count, budget), view.Remaining - granted);
            if (!TryTakeBlocks(view, granted, count, groups))
            {
                var oldest = OldestRunnable(sessions, plan);
                if (granted == 0 && next == oldest && ChooseVictim(sessions, next, oldest, plan))
                {
                    return;
                }

                // It holds what it has and goes on when older sessions end.
                _out[next] = true;
                continue;
            }

            _granted[next] += count;
            _service[view.Client] += count;
            budget -= count;
            plan.PrefillRows += count;
        }

        for (var i = 0; i < sessions.Length; i++)
        {
            if (_granted[i] > 0 && sessions[i].Phase != SessionPhase.Decoding)
            {
                plan.Slices.Add(new PlannedSlice(i, _granted[i]));
            }
        }
    }

    /// <summary>The prefilling session that is next in turn: least served client, fewest rows in this step, oldest.</summary>
    private int NextPrefill(ReadOnlySpan<SessionView> sessions, StepPlan plan)
    {
        var best = StepPlan.None;
        for (var i = 0; i < sessions.Length; i++)
        {
            var view = sessions[i];
            if (_out[i] || !view.IsRunnable || _granted[i] >= view.Remaining
                || (view.Phase != SessionPhase.Prefilling && !(view.Phase == SessionPhase.Waiting && plan.Admitted.Contains(i))))
            {
                continue;
            }

            if (best == StepPlan.None
                || (_service[view.Client], _granted[i]).CompareTo((_service[sessions[best].Client], _granted[best])) < 0)
            {
                best = i;
            }
        }

        return best;
    }

    private bool TryTakeBlocks(in SessionView session, int granted, int count, int groups)
    {
        var before = Math.Max(session.CoveredBlocks, KvSequence.BlocksFor(session.Applied + granted));
        var need = Math.Max(0, KvSequence.BlocksFor(session.Applied + granted + count) - before);
        for (var g = 0; g < groups; g++)
        {
            if (_available[g] < need)
            {
                return false;
            }
        }

        for (var g = 0; g < groups; g++)
        {
            _available[g] -= need;
        }

        return true;
    }

    /// <summary>
    /// Who gives blocks back for <paramref name="requester"/>: first prefixes held by sessions that do not run, then the
    /// youngest running session. Only the oldest runnable session may take from an older (paused) one; any other that
    /// finds nobody younger gives back its own. False when it is to wait for an older session that is only idle.
    /// </summary>
    private static bool ChooseVictim(ReadOnlySpan<SessionView> sessions, int requester, int oldest, StepPlan plan)
    {
        for (var i = sessions.Length - 1; i >= 0; i--)
        {
            if (!sessions[i].IsRunning && sessions[i].CoveredBlocks > 0 && i != requester)
            {
                plan.Victim = i;
                return true;
            }
        }

        var waits = false;
        for (var i = sessions.Length - 1; i >= 0; i--)
        {
            if (!sessions[i].IsRunning || sessions[i].CoveredBlocks == 0 || i == requester)
            {
                continue;
            }

            if (i > requester || (requester == oldest && !sessions[i].Idle))
            {
                plan.Victim = i;
                return true;
            }

            waits = requester == oldest;
        }

        if (waits)
        {
            return false;
        }

        if (requester == oldest)
        {
            plan.Stuck = requester;
        }
        else
        {
            plan.Victim = requester;
        }

        return true;
    }

    private static int OldestRunnable(ReadOnlySpan<SessionView> sessions, StepPlan plan)
    {
        for (var i = 0; i < sessions.Length; i++)
        {
            if (sessions[i].IsRunnable && (sessions[i].IsRunning || plan.Admitted.Contains(i)))
            {
                return i;
            }
        }

        return StepPlan.None;
    }
}
