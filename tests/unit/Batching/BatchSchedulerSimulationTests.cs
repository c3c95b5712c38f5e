using CsCheck;
using Parallax.Runtime.Batching;

namespace Parallax.UnitTests.Batching;

/// <summary>The scheduler against sessions that do as it says: rules of every plan, and that everyone is served.</summary>
public class BatchSchedulerSimulationTests
{
    [Fact]
    public void Simulation_RandomLoad_EverySessionEndsAndEveryPlanKeepsTheRules()
    {
        var limits = Gen.Select(Gen.Int[1, 6], Gen.Int[16, 96], Gen.Int[16, 64], (batch, budget, mixed) => new BatchLimits(batch, budget, mixed));
        var session = Gen.Select(Gen.Int[1, 300], Gen.Int[1, 60], Gen.Int[0, 3], Gen.Int[0, 60]);
        Gen.Select(limits, Gen.Int[24, 60], session.Array[1, 25]).Sample(
            (limits, blocks, sessions) =>
            {
                var simulation = new Simulation(limits, blocks);
                var work = 0;
                foreach (var (prompt, answer, client, arrival) in sessions)
                {
                    simulation.Add(prompt, answer, client, arrival);
                    work += prompt + answer;
                }

                // Each step computes a row at least, or takes blocks from somebody who has computed with them; a
                // recomputation costs at most a whole session.
                var steps = simulation.Run(limit: 40 * work);
                Assert.True(simulation.AllEnded, $"{simulation.Unfinished} sessions unfinished after {steps} steps");
            },
            iter: 400);
    }

    [Fact]
    public void Simulation_RandomLoadOfARing_EverySessionEndsAndEveryPlanKeepsTheRules()
    {
        // Rows of a head come back after some steps, and a later stage's prompts arrive bit by bit.
        var limits = Gen.Select(Gen.Int[1, 6], Gen.Int[16, 96], Gen.Int[16, 64], (batch, budget, mixed) => new BatchLimits(batch, budget, mixed));
        var ring = Gen.Select(Gen.Int[1, 12], Gen.Int[1, 3], Gen.Int[3, 200]);
        var session = Gen.Select(Gen.Int[1, 300], Gen.Int[1, 60], Gen.Int[0, 3], Gen.Int[0, 60]);
        Gen.Select(limits, Gen.Int[24, 60], ring, session.Array[1, 25]).Sample(
            (limits, blocks, ring, sessions) =>
            {
                var (time, cap, rate) = ring;
                var simulation = new Simulation(limits, blocks) { RingSteps = time, MaxDecodeRows = cap, ArrivalRate = rate };
                var work = 0;
                foreach (var (prompt, answer, client, arrival) in sessions)
                {
                    simulation.Add(prompt, answer, client, arrival);
                    work += prompt + (answer * time);
                }

                var steps = simulation.Run(limit: 40 * work);
                Assert.True(simulation.AllEnded, $"{simulation.Unfinished} sessions unfinished after {steps} steps");
            },
            iter: 400);
    }

    [Fact]
    public void Simulation_CappedDecodes_EveryReadySessionHasItsTurn()
    {
        Gen.Select(Gen.Int[1, 16], Gen.Int[1, 4], Gen.Int[1, 12]).Sample(
            (sessions, cap, ring) =>
            {
                var simulation = new Simulation(new BatchLimits(16, 64, 32), 4000) { RingSteps = ring, MaxDecodeRows = cap };
                for (var i = 0; i < sessions; i++)
                {
                    simulation.Add(10 + (i * 13), 60, client: i % 3, arrival: i);
                }

                simulation.Run(limit: 20_000);
                Assert.True(simulation.AllEnded);

                // First come, first served: before a session's row there are at most those of all others.
                Assert.InRange(simulation.LongestWait, 0, (sessions - 1) / cap);
            },
            iter: 200);
    }

    [Fact]
    public void Simulation_EndlessFlood_ASecondClientIsServedSoon()
    {
        // Client 0 keeps 30 sessions of 400 + 20 tokens waiting at all times; client 1 comes once.
        var simulation = new Simulation(new BatchLimits(4, 64, 32), 400);
        for (var i = 0; i < 30; i++)
        {
            simulation.Add(400, 20, client: 0, arrival: 0);
        }

        simulation.Refill = ended => ended.Client == 0 ? (400, 20, 0) : null;
        var guest = simulation.Add(100, 5, client: 1, arrival: 50);
        simulation.RunUntil(() => guest.Ended, limit: 400);

        // A place is free after at most the four running sessions (about 1700 rows, 32 to 64 a step); then the guest's
        // prompt is first in turn.
        Assert.InRange(guest.EndedAt - 50, 1, 120);
    }

    [Fact]
    public void Simulation_SmallSessionsKeepComing_ALargeOneThatDoesNotFitIsAdmittedInTheEnd()
    {
        var simulation = new Simulation(new BatchLimits(8, 64, 32), 40);
        for (var i = 0; i < 12; i++)
        {
            simulation.Add(60, 30, client: i % 3, arrival: 0);
        }

        simulation.Refill = ended => ended.Prompt == 60 ? (60, 30, ended.Client) : null;
        var large = simulation.Add(500, 10, client: 3, arrival: 5);
        simulation.RunUntil(() => large.Ended, limit: 2000);

        Assert.InRange(large.EndedAt, 6, 600);
    }

    private sealed class Simulation(BatchLimits limits, int blocks)
    {
        private readonly BatchScheduler _scheduler = new(limits);
        private readonly StepPlan _plan = new();
        private readonly List<Session> _future = [];
        private readonly List<Session> _sessions = [];
        private readonly long[] _service = new long[8];
        private int _now;

        /// <summary>Steps until the row of a decoding session has come back as a token.</summary>
        public int RingSteps { get; init; } = 1;

        public int MaxDecodeRows { get; init; } = int.MaxValue;

        /// <summary>Rows of each prompt that arrive per step.</summary>
        public int ArrivalRate { get; init; } = int.MaxValue;

        /// <summary>The most steps that a decoding session was ready and not in the plan.</summary>
        public int LongestWait { get; private set; }

        public Func<Session, (int Prompt, int Answer, int Client)?>? Refill { get; set; }

        public bool AllEnded => _future.Count == 0 && _sessions.Count == 0;

        public int Unfinished => _future.Count + _sessions.Count;

        public Session Add(int prompt, int answer, int client, int arrival)
        {
            var session = new Session { Prompt = prompt, Answer = answer, Client = client, Arrival = arrival, Known = prompt, Arrived = Math.Min(prompt, ArrivalRate) };
            _future.Add(session);
            return session;
        }

        public int Run(int limit)
        {
            RunUntil(() => AllEnded, limit);
            return _now;
        }

        public void RunUntil(Func<bool> done, int limit)
        {
            while (!done() && _now < limit)
            {
                _sessions.AddRange(_future.Where(session => session.Arrival <= _now));
                _future.RemoveAll(session => session.Arrival <= _now);
                foreach (var session in _sessions)
                {
                    session.Arrived = (int)Math.Min((long)session.Arrived + ArrivalRate, session.Prompt);
                    session.Idle = session.View.IsRunning && (session.BackAt > _now || session.Due == 0);
                }

                Step();
                _now++;
            }
        }

        private int Free => blocks - _sessions.Sum(session => session.Blocks);

        private void Step()
        {
            while (true)
            {
                SessionView[] views = [.. _sessions.Select(session => session.View)];
                var decodes = RingSteps > 1 && _sessions.Any(session => session.Phase == SessionPhase.Decoding);
                _scheduler.Plan(views, _service, [new KvRoom(Free, int.MaxValue)], _plan, MaxDecodeRows, decodes);
                Assert.Equal(StepPlan.None, _plan.Stuck);
                if (_plan.Victim == StepPlan.None)
                {
                    break;
                }

                var oldest = _sessions.FindIndex(session => session.View.IsRunning);
                Assert.True(_plan.Victim != oldest, "the oldest running session must never give back its blocks");
                var victim = _sessions[_plan.Victim];
                Assert.True(victim.Blocks > 0, "a victim must have blocks");
                victim.Computed = 0;
                victim.Phase = SessionPhase.Waiting;
                victim.BackAt = 0;
                victim.Idle = false;
            }

            CheckPlan();
            foreach (var admitted in _plan.Admitted)
            {
                _sessions[admitted].Phase = SessionPhase.Prefilling;
                _sessions[admitted].Bypassed = 0;
            }

            if (_plan.AdmittedPast > 0)
            {
                _sessions[_plan.Bypassed].Bypassed += _plan.AdmittedPast;
            }

            foreach (var (index, count) in _plan.Slices)
            {
                var session = _sessions[index];
                session.Computed += count;
                _service[session.Client] += count;
                if (session.Computed == session.Known)
                {
                    session.Known++;
                    session.BackAt = _now + RingSteps;
                    session.Phase = SessionPhase.Decoding;
                    session.Ended = session.Known == session.Prompt + session.Answer;
                    session.EndedAt = _now;
                }
            }

            Assert.True(Free >= 0, "the plan takes blocks that do not exist");
            foreach (var ended in _sessions.Where(session => session.Ended).ToList())
            {
                _sessions.Remove(ended);
                if (Refill?.Invoke(ended) is var (prompt, answer, client))
                {
                    Add(prompt, answer, client, _now + 1);
                }
            }
        }

        private void CheckPlan()
        {
            var rows = _plan.Slices.Sum(slice => slice.Count);
            var decoding = _sessions.Count(session => session is { Phase: SessionPhase.Decoding, Idle: false });
            var idle = _sessions.Any(session => session.Idle);

            // A session may wait for a block of an older idle one.
            var lacksBlocks = idle && Free == 0;
            Assert.InRange(_plan.DecodeRows, lacksBlocks ? 0 : Math.Min(decoding, MaxDecodeRows), Math.Min(decoding, MaxDecodeRows));
            CheckTurns(lacksBlocks);
            Assert.Equal(rows, _plan.DecodeRows + _plan.PrefillRows);
            Assert.InRange(rows, _sessions.Count == 0 || idle ? 0 : 1, limits.TokenBudget);
            Assert.True(decoding == 0 || _plan.PrefillRows <= limits.MixedPrefillTokens, "prefill exceeds its cap beside decodes");
            Assert.Equal(_plan.Slices.Count, _plan.Slices.Select(slice => slice.Session).Distinct().Count());
            Assert.InRange(_sessions.Count(session => session.View.IsRunning) + _plan.Admitted.Count, 0, limits.MaxBatch);
            Assert.All(_plan.Slices, slice => Assert.InRange(slice.Count, 1, _sessions[slice.Session].View.Remaining));
            Assert.All(_plan.Slices, slice => Assert.True(
                _sessions[slice.Session].View.IsRunning || _plan.Admitted.Contains(slice.Session), "a session computes that was not admitted"));
        }

        /// <summary>Nobody's row comes before that of one who has waited longer.</summary>
        private void CheckTurns(bool lacksBlocks)
        {
            var chosen = _plan.Slices.Select(slice => _sessions[slice.Session]).ToHashSet();
            var passed = _sessions.Where(session => session is { Phase: SessionPhase.Decoding, Idle: false } && !chosen.Contains(session)).ToList();
            if (passed.Count == 0 || lacksBlocks)
            {
                return;
            }

            var longest = passed.Min(session => session.BackAt);
            Assert.All(chosen.Where(session => session.Phase == SessionPhase.Decoding), session => Assert.True(session.BackAt <= longest));
            LongestWait = Math.Max(LongestWait, _now - longest + 1);
        }
    }

    private sealed class Session
    {
        /// <summary>Rows of the prompt that are here.</summary>
        public int Arrived { get; set; }

        /// <summary>The step from which on it has its token.</summary>
        public int BackAt { get; set; }

        public bool Idle { get; set; }

        /// <summary>Rows that are here and not computed.</summary>
        public int Due => Math.Max(0, Known - (Prompt - Arrived) - Computed);

        public required int Prompt { get; init; }

        public required int Answer { get; init; }

        public required int Client { get; init; }

        public required int Arrival { get; init; }

        public int Known { get; set; }

        public int Computed { get; set; }

        public int Bypassed { get; set; }

        public bool Ended { get; set; }

        public int EndedAt { get; set; }

        public SessionPhase Phase { get; set; } = SessionPhase.Waiting;

        public int Blocks => (Computed + 15) / 16;

        public SessionView View => new()
        {
            Phase = Phase,
            Client = Client,
            Applied = Computed,
            Remaining = Due,
            Known = Known,
            Idle = Idle,
            ReadySince = BackAt,
            CoveredBlocks = Blocks,
            Bypassed = Bypassed,
        };
    }
}
