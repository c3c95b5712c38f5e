using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Router.Sessions;

public class SessionCoreTests
{
    private const int Prompt = 40;
    private static readonly Epoch First = new(1, Guid.Parse("00000000-0000-0000-0000-000000000001"), 0);

    [Fact]
    public void TakeCommand_BeforeAConnection_IsNone()
    {
        Assert.Equal(SessionCommand.None, NewCore().TakeCommand(0));
    }

    [Fact]
    public void TakeCommand_Connected_OpensOnceThenStartsAtWholeBlocks()
    {
        var core = NewCore();
        core.OnConnected(0, 7);

        Assert.Equal([SessionCommand.Open], Commands(core));
        core.OnAccepted(0, First, applied: 40);
        Assert.Equal(32, core.Keep);
        Assert.Equal([SessionCommand.Start], Commands(core));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(16, 16)]
    [InlineData(31, 16)]
    [InlineData(32, 32)]
    [InlineData(48, 32)]
    public void Keep_AnyCachedPrefix_LeavesTheLastPromptToken(int cached, int keep)
    {
        var core = NewCore(prompt: 33);
        core.OnConnected(0, 7);
        core.OnAccepted(0, First, cached);

        Assert.Equal(keep, core.Keep);
    }

    [Fact]
    public void OnTokens_RepeatedAndOverlapping_SkipsWhatIsKnown()
    {
        var core = Running();

        Assert.Equal(0, core.OnTokens(0, First, 0, 3));
        Assert.Equal(3, core.OnTokens(0, First, 0, 3));
        Assert.Equal(1, core.OnTokens(0, First, 2, 3));
        Assert.Equal(Prompt + 5, core.Known);
    }

    [Fact]
    public void OnTokens_BeyondAGap_TakesNoneAndAsksFromThere()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 3);

        Assert.Equal(2, core.OnTokens(0, First, 4, 2));
        Assert.Equal(3, core.Received);
        Assert.Equal([SessionCommand.Rejoin], Commands(core));
    }

    [Fact]
    public void OnTokens_OfAnotherEpoch_AreIgnored()
    {
        var core = Running();

        Assert.Equal(3, core.OnTokens(0, First with { N = 1 }, 0, 3));
        Assert.Equal(3, core.OnTokens(0, First with { Term = 0 }, 0, 3));
        Assert.Equal(0, core.Received);
    }

    [Fact]
    public void OnConsumed_InStrides_Acknowledges()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 20);
        core.OnConsumed(7);
        Assert.Empty(Commands(core));

        core.OnConsumed(8);
        Assert.Equal([SessionCommand.Acknowledge], Commands(core));
        Assert.Equal(Prompt + 8, core.Consumed);
    }

    [Fact]
    public void OnConnected_AfterAcceptance_RejoinsAndRepeatsStart()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 20);
        core.OnConsumed(20);
        Assert.Equal([SessionCommand.Acknowledge], Commands(core));

        core.OnDisconnected(0);
        Assert.Empty(Commands(core));
        Assert.True(core.OnConnected(0, 7));
        Assert.Equal([SessionCommand.Rejoin, SessionCommand.Start, SessionCommand.Acknowledge], Commands(core));
    }

    [Fact]
    public void OnConnected_BeforeAcceptance_OpensAgainAtTheSameEpoch()
    {
        var core = NewCore();
        core.OnConnected(0, 7);
        Commands(core);

        core.OnDisconnected(0);
        Assert.True(core.OnConnected(0, 7));
        Assert.Equal([SessionCommand.Open], Commands(core));
        Assert.Equal(First, core.Epoch);
    }

    [Fact]
    public void OnConnected_ToARestartedWorker_NeedsAPathAndGoesOnFromWhatIsKnown()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 3);

        Assert.False(core.OnConnected(0, 8));
        Assert.True(core.NeedsPath);
        Assert.Equal(First, core.Epoch);

        core.Reroute([0]);
        Assert.False(core.NeedsPath);
        Assert.Equal(First with { N = 1 }, core.Epoch);
        Assert.Equal(8, core.Incarnation(0));
        Assert.Equal(3, core.OpenAnswer);
        Assert.Equal([SessionCommand.Open], Commands(core));
        core.OnAccepted(0, core.Epoch, 0);
        Assert.Equal([SessionCommand.Start], Commands(core));
        Assert.Equal((Prompt + 2, 0), (core.Keep, core.StartAnswer)); // N-1: the last token runs again
        Assert.Equal(0, core.OnTokens(0, core.Epoch, 3, 1));
    }

    [Fact]
    public void OnAccepted_WithIdsThatTheRouterLacks_TakesThemAndSaysSoInStart()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 3);
        core.Reroute([0]);
        Commands(core);

        Assert.Equal(0, core.OnAccepted(0, core.Epoch, 45, first: 3, count: 2));

        Assert.Equal(5, core.Received);
        Assert.Equal([SessionCommand.Start], Commands(core));
        Assert.Equal((3, 2, Prompt + 4), (core.OpenAnswer, core.StartAnswer, core.Keep));

        // Tokens that come after Start change nothing of it, should it have to be said again.
        core.OnTokens(0, core.Epoch, 5, 4);
        core.OnConnected(0, 7);
        Assert.Equal([SessionCommand.Rejoin, SessionCommand.Start], Commands(core));
        Assert.Equal((2, Prompt + 4), (core.StartAnswer, core.Keep));
    }

    [Fact]
    public void MayRaise_WithoutProgress_FiveTimes_AndAnewAfterATokenOrMoreApplied()
    {
        var core = Running();
        Assert.All(Enumerable.Range(0, SessionCore.MaxRaises), _ => Assert.True(core.MayRaise()));
        Assert.False(core.MayRaise());

        core.OnTokens(0, First, 0, 1);
        Assert.True(core.MayRaise());

        core.Reroute([0]);
        core.OnAccepted(0, core.Epoch, 64);
        Assert.All(Enumerable.Range(0, SessionCore.MaxRaises), _ => Assert.True(core.MayRaise()));
        core.Reroute([0]);
        core.OnAccepted(0, core.Epoch, 64);
        Assert.False(core.MayRaise());
    }

    [Fact]
    public void OnUnknown_OfAnEarlierEpoch_IsIgnored()
    {
        var core = Running();
        Assert.Equal(SessionTurn.NeedsPath, core.OnUnknown(0, First, 7));
        core.Reroute([0]);

        Assert.Equal(SessionTurn.None, core.OnUnknown(0, First, 7));
        Assert.False(core.NeedsPath);
    }

    [Fact]
    public void OnFinished_WithTokensMissing_AsksForThem()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 2);

        Assert.Equal(SessionTurn.None, core.OnFinished(0, First, FinishReason.Stop, 3));
        Assert.Equal([SessionCommand.Rejoin], Commands(core));
        core.OnTokens(0, First, 2, 1);
        Assert.Equal(SessionTurn.Ended, core.OnFinished(0, First, FinishReason.Stop, 3));
        Assert.True(core.IsEnded);
    }

    [Fact]
    public void OnStale_OfALaterEpoch_Ends()
    {
        var core = Running();

        Assert.False(core.OnStale(First));
        Assert.True(core.OnStale(First with { Term = 2 }));
        Assert.True(core.IsEnded);
    }

    [Fact]
    public void Cancel_NeverSaid_NeedsNoMessage()
    {
        var core = NewCore();

        Assert.False(core.Cancel());
        Assert.True(core.IsEnded);
    }

    [Fact]
    public void Cancel_Running_IsSaidOnEveryConnectionUntilTheEnd()
    {
        var core = Running();

        Assert.True(core.Cancel());
        Assert.Equal([SessionCommand.Cancel], Commands(core));
        core.OnDisconnected(0);
        core.OnConnected(0, 7);
        Assert.Equal([SessionCommand.Cancel], Commands(core));
        Assert.Equal(SessionTurn.Ended, core.OnFinished(0, First, FinishReason.Stop, 9));
        Assert.Empty(Commands(core));
    }

    [Fact]
    public void Cancel_Running_TakesNoMoreTokens()
    {
        var core = Running();
        core.Cancel();

        Assert.Equal(3, core.OnTokens(0, First, 0, 3));
    }

    /// <summary>
    /// Whatever connections do to the messages between them, the router gets every token once, in order.
    /// </summary>
    [Fact]
    public void Core_AgainstAWorkerOverBreakingConnections_GetsEveryTokenOnce() =>
        Gen.Int[0, 4].Array[0, 200].Sample(steps =>
        {
            var core = NewCore();
            var worker = new ModelWorker(tokens: 24);
            var taken = new List<int>();
            foreach (var step in steps.Concat(Enumerable.Repeat(0, 1)).Concat(Enumerable.Range(0, 200).Select(static i => 1 + (i % 4))))
            {
                switch (step)
                {
                    case 0: // the connection breaks: what is under way is lost
                        core.OnDisconnected(0);
                        worker.Disconnect();
                        core.OnConnected(0, 7);
                        break;
                    case 1:
                        worker.Receive(core);
                        break;
                    case 2:
                        worker.Generate();
                        break;
                    case 3:
                        worker.DeliverTo(core, taken);
                        break;
                    default:
                        core.OnConsumed(taken.Count);
                        break;
                }
            }

            Assert.Equal(Enumerable.Range(0, 24), taken);
            Assert.True(core.IsEnded);
        });

    private static SessionCore NewCore(int prompt = Prompt) => new(SessionId.New(), First, prompt, stages: 1);

    private static SessionCore Running()
    {
        var core = NewCore();
        core.OnConnected(0, 7);
        Commands(core);
        core.OnAccepted(0, First, 0);
        Commands(core);
        return core;
    }

    private static List<SessionCommand> Commands(SessionCore core)
    {
        var commands = new List<SessionCommand>();
        while (core.TakeCommand(0) is not SessionCommand.None and var command)
        {
            commands.Add(command);
        }

        return commands;
    }

    /// <summary>A worker in a dozen lines: token i has the id i; what it sends stands in a queue that a break empties.</summary>
    private sealed class ModelWorker(int tokens)
    {
        private readonly Queue<(int First, int Count, bool Ack, bool End)> _wire = new();
        private bool _open;
        private bool _started;
        private bool _owned;
        private bool _endSent;
        private int _generated;
        private int _cursor;
        private int _known;

        public void Disconnect()
        {
            _wire.Clear();
            _owned = false;
        }

        public void Receive(SessionCore core)
        {
            switch (core.TakeCommand(0))
            {
                case SessionCommand.Open:
                    (_open, _owned) = (true, true);
                    _wire.Enqueue((0, 0, true, false));
                    break;
                case SessionCommand.Rejoin:
                    Assert.True(_open);
                    (_owned, _cursor, _endSent) = (true, core.Known - Prompt, false);
                    break;
                case SessionCommand.Start:
                    _started = true;
                    break;
                case SessionCommand.Acknowledge:
                    _known = core.Consumed - Prompt;
                    break;
                default:
                    break;
            }
        }

        public void Generate()
        {
            if (_started && _generated < tokens && _generated < _known + 32)
            {
                _generated++;
            }

            if (_owned && _cursor < _generated)
            {
                _wire.Enqueue((_cursor, _generated - _cursor, false, false));
                _cursor = _generated;
            }
            else if (_owned && _generated == tokens && !_endSent)
            {
                _wire.Enqueue((0, 0, false, true));
                _endSent = true;
            }
        }

        public void DeliverTo(SessionCore core, List<int> taken)
        {
            if (!_wire.TryDequeue(out var message))
            {
                return;
            }

            if (message.Ack)
            {
                core.OnAccepted(0, First, 0);
            }
            else if (message.End)
            {
                core.OnFinished(0, First, FinishReason.Stop, tokens);
            }
            else
            {
                taken.AddRange(Enumerable.Range(message.First, message.Count).Skip(core.OnTokens(0, First, message.First, message.Count)));
            }
        }
    }
}
