using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;

namespace Parallax.UnitTests.Router.Sessions;

/// <summary>
/// Sessions against model workers on a ring whose connections break, that restart and fail, in any order: messages
/// under way are lost with their connection.
/// </summary>
public class SessionPathModelTests
{
    [Fact]
    public void Session_OverBreakingConnections_GetsEveryTokenOnce() =>
        Gen.Select(Gen.Int[1, 3], Gen.Select(Gen.Int[0, 6], Gen.Int[0, 2]).Array[0, 400]).Sample(
            (stages, steps) =>
            {
                var ring = new ModelRing(stages);
                ring.Run(steps);
                ring.RunToTheEnd();

                Assert.True(ring.Core.IsEnded);
                Assert.Equal(Enumerable.Range(0, ModelRing.Tokens), ring.Taken);
                Assert.Equal(0, ring.Core.Epoch.N);
            },
            iter: 1000);

    [Fact]
    public void Session_WithRestartsFailuresAndCancels_EndsAndFreesEverything() =>
        Gen.Select(
            Gen.Int[1, 3],
            Gen.Select(Gen.Frequency((80, Gen.Int[0, 6]), (2, Gen.Const(7)), (1, Gen.Const(8)), (1, Gen.Const(9))), Gen.Int[0, 2]).Array[0, 300]).Sample(
            (stages, steps) =>
            {
                var ring = new ModelRing(stages);
                ring.Run(steps);
                ring.RunToTheEnd();

                Assert.True(ring.Core.IsEnded || ring.Core.IsCancelled);
                Assert.Equal(Enumerable.Range(0, ring.Taken.Count), ring.Taken);
                if (!ring.IsDisturbed)
                {
                    Assert.Equal(ModelRing.Tokens, ring.Taken.Count);
                }
            },
            iter: 5000);

    /// <summary>A router's session core, and a worker per stage that knows the protocol in a few lines each.</summary>
    private sealed class ModelRing
    {
        public const int Tokens = 24;
        private const int Prompt = 40;
        private static readonly Epoch First = new(1, Guid.Parse("00000000-0000-0000-0000-000000000001"), 0);
        private readonly ModelStage[] _stages;
        private bool _lostCancel;

        public ModelRing(int stages)
        {
            Core = new SessionCore(SessionId.New(), First, Prompt, stages);
            _stages = [.. Enumerable.Range(0, stages).Select(i => new ModelStage { Incarnation = 100 * (i + 1) })];
            for (var i = 0; i < stages; i++)
            {
                Connect(i);
            }
        }

        public SessionCore Core { get; }

        public List<int> Taken { get; } = [];

        /// <summary>Whether anything happened that may cost the answer.</summary>
        public bool IsDisturbed { get; private set; }

        public void Run((int What, int Stage)[] steps)
        {
            foreach (var (what, stage) in steps)
            {
                Step(what, stage % _stages.Length);
            }
        }

        /// <summary>Nothing breaks any more: it must come to an end, and nobody may be left with anything.</summary>
        public void RunToTheEnd()
        {
            for (var i = 0; i < _stages.Length; i++)
            {
                Step(0, i);
            }

            for (var round = 0; round < 60 * _stages.Length && !Array.TrueForAll(_stages, static stage => stage.IsForgotten); round++)
            {
                for (var i = 0; i < _stages.Length; i++)
                {
                    for (var what = 1; what <= 6; what++)
                    {
                        Step(what, i);
                    }
                }
            }

            Assert.All(_stages, static stage => Assert.True(stage.IsForgotten));
            for (var i = 0; i < _stages.Length; i++)
            {
                while (_stages[i].ToWorker.Count > 0)
                {
                    Process(i);
                }

                // What a Cancel was lost for is left to the lease.
                Assert.True(_stages[i].Held < 0 || _stages[i].HasEnded || _lostCancel);
            }
        }

        private void Step(int what, int i)
        {
            Do(what, i);
            if (Core.NeedsPath)
            {
                Core.Reroute(Core.Path);
            }
        }

        private void Do(int what, int i)
        {
            var stage = _stages[i];
            switch (what)
            {
                case 0:
                    Connect(i);
                    break;
                case 1 or 2:
                    Say(i);
                    break;
                case 3:
                    Process(i);
                    break;
                case 4:
                    Work(i);
                    break;
                case 5:
                    Deliver(i);
                    break;
                case 6:
                    Core.OnConsumed(Taken.Count);
                    break;
                case 7:
                    (stage.Incarnation, stage.Held, stage.HasEnded) = (stage.Incarnation + 1, -1, false);
                    Connect(i);
                    break;
                case 8:
                    (stage.HasEnded, IsDisturbed) = (true, IsDisturbed || i == 0); // the head's word counts
                    break;
                default:
                    IsDisturbed = true;
                    Core.Cancel();
                    break;
            }
        }

        private void Connect(int i)
        {
            var stage = _stages[i];
            _lostCancel |= stage.ToWorker.Any(static message => message.Command == SessionCommand.Cancel);
            stage.ToWorker.Clear();
            stage.ToRouter.Clear();
            stage.IsOwned = false;
            if (!stage.IsForgotten)
            {
                Core.OnDisconnected(i);
                Core.OnConnected(i, stage.Incarnation);
            }
        }

        private void Say(int i)
        {
            var stage = _stages[i];
            if (stage.IsForgotten)
            {
                return;
            }

            var command = Core.TakeCommand(i);
            if (command == SessionCommand.None)
            {
                stage.IsForgotten = Core.IsSettled(i);
                return;
            }

            stage.ToWorker.Enqueue(new ToWorker(
                command,
                command == SessionCommand.Cancel ? Core.CancelEpoch(i).N : Core.Epoch.N,
                Core.Incarnation(i),
                command == SessionCommand.Open ? Core.OpenAnswer : (command == SessionCommand.Acknowledge ? Core.Consumed : Core.KnownAt(i)) - Prompt,
                Core.NextIncarnation(i)));
        }

        private void Process(int i)
        {
            var stage = _stages[i];
            if (!stage.ToWorker.TryDequeue(out var message))
            {
                return;
            }

            if (message.Command == SessionCommand.Open)
            {
                if (message.N > stage.Held)
                {
                    (stage.Held, stage.HasEnded, stage.IsStarted, stage.Generated, stage.Cursor, stage.Known, stage.IsEndSent)
                        = (message.N, false, false, message.Known, message.Known, message.Known, false);
                }

                stage.IsOwned |= message.N == stage.Held;
                stage.ToRouter.Enqueue(new ToRouter(message.N == stage.Held ? Reply.Accepted : Reply.Stale, stage.Held, 0, 0));
                return;
            }

            Assert.Equal(stage.Incarnation, message.Incarnation); // connections are to incarnations
            if (message.N != stage.Held)
            {
                stage.ToRouter.Enqueue(new ToRouter(message.N < stage.Held ? Reply.Stale : Reply.Unknown, Math.Max(message.N, stage.Held), 0, 0));
                return;
            }

            switch (message.Command)
            {
                case SessionCommand.Rejoin:
                    Assert.InRange(message.Known, 0, stage.Generated);
                    (stage.IsOwned, stage.Cursor, stage.IsEndSent) = (true, message.Known, false);
                    break;
                case SessionCommand.Start:
                    Assert.True(!stage.IsStarted || stage.Next == message.Next);
                    (stage.IsStarted, stage.Next) = (true, message.Next);
                    break;
                case SessionCommand.Acknowledge:
                    Assert.Equal(0, i);
                    stage.Known = message.Known;
                    break;
                default:
                    stage.HasEnded = true;
                    break;
            }
        }

        /// <summary>A token goes round if every stage holds the session, started, and knows its neighbour as it is.</summary>
        private void Work(int i)
        {
            var stage = _stages[i];
            var turns = i == 0 && stage.Generated < Tokens && stage.Generated < stage.Known + 32;
            for (var at = 0; turns && at < _stages.Length; at++)
            {
                var next = _stages[(at + 1) % _stages.Length];
                turns = _stages[at] is { IsStarted: true, HasEnded: false } && next.Held == stage.Held
                    && (_stages.Length == 1 || _stages[at].Next == next.Incarnation);
            }

            if (turns)
            {
                stage.Generated++;
            }

            // Of a session that was opened with the whole answer, too.
            stage.HasEnded |= i == 0 && stage is { IsStarted: true, Generated: Tokens };

            if (stage.IsOwned && stage.Cursor < stage.Generated)
            {
                stage.ToRouter.Enqueue(new ToRouter(Reply.Tokens, stage.Held, stage.Cursor, stage.Generated - stage.Cursor));
                stage.Cursor = stage.Generated;
            }
            else if (stage is { IsOwned: true, HasEnded: true, IsEndSent: false })
            {
                stage.ToRouter.Enqueue(new ToRouter(Reply.Finished, stage.Held, 0, stage.Generated));
                stage.IsEndSent = true;
            }
        }

        private void Deliver(int i)
        {
            if (!_stages[i].ToRouter.TryDequeue(out var message) || _stages[i].IsForgotten)
            {
                return;
            }

            var at = First with { N = message.N };
            switch (message.Reply)
            {
                case Reply.Accepted:
                    Core.OnAccepted(i, at, 0);
                    break;
                case Reply.Tokens:
                    Taken.AddRange(Enumerable.Range(message.First, message.Count).Skip(Core.OnTokens(i, at, message.First, message.Count)));
                    break;
                case Reply.Finished:
                    Core.OnFinished(i, at, i == 0 ? Runtime.Execution.FinishReason.Length : Runtime.Execution.FinishReason.Cancelled, message.Count);
                    break;
                case Reply.Unknown:
                    Core.OnUnknown(i, at, _stages[i].Incarnation);
                    break;
                default:
                    Assert.False(Core.OnStale(at));
                    break;
            }
        }

        private enum Reply
        {
            Accepted,
            Tokens,
            Finished,
            Unknown,
            Stale,
        }

        private readonly record struct ToWorker(SessionCommand Command, int N, long Incarnation, int Known, long Next);

        private readonly record struct ToRouter(Reply Reply, int N, int First, int Count);

        private sealed class ModelStage
        {
            public Queue<ToWorker> ToWorker { get; } = new();

            public Queue<ToRouter> ToRouter { get; } = new();

            public long Incarnation { get; set; }

            public bool IsForgotten { get; set; } // by the router's link

            public int Held { get; set; } = -1;

            public bool IsOwned { get; set; } // by the present connection

            public bool IsStarted { get; set; }

            public bool HasEnded { get; set; }

            public bool IsEndSent { get; set; }

            public long Next { get; set; }

            public int Generated { get; set; }

            public int Cursor { get; set; }

            public int Known { get; set; }
        }
    }
}
