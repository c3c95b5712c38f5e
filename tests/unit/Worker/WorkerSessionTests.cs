using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Control;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.UnitTests.Worker;

public sealed class WorkerSessionTests : IDisposable
{
    private const int Prompt = 5;
    private readonly SessionTable _table = new(new FakeTimeProvider(), TimeSpan.FromSeconds(60), 1000);
    private readonly ControlStream _stream = new();
    private readonly ControlStream _other = new();

    [Fact]
    public void TakeNext_TokensSinceTheLast_AreOneBatch()
    {
        var session = Opened();
        Emit(session, 0, 3);

        var tokens = session.TakeNext(_stream, out _)!.Tokens;
        Assert.Equal(0, tokens.FirstIndex);
        Assert.Equal([100, 101, 102], tokens.Ids);
        Assert.Null(session.TakeNext(_stream, out _));
    }

    [Fact]
    public void TakeNext_AfterTheEnd_SendsTokensBeforeFinishedOnce()
    {
        var session = Opened();
        Emit(session, 0, 2);
        Finish(session, 2);

        Assert.Equal(WorkerMessage.MessageOneofCase.Tokens, session.TakeNext(_stream, out _)!.MessageCase);
        Assert.Equal(2, session.TakeNext(_stream, out _)!.Finished.GeneratedTokens);
        Assert.Null(session.TakeNext(_stream, out _));
    }

    [Fact]
    public void TakeNext_OfAStreamThatIsNoLongerTheOwner_IsNull()
    {
        var session = Opened();
        Emit(session, 0, 2);
        Assert.True(session.Rejoin(_other, Prompt));

        Assert.Null(session.TakeNext(_stream, out _));
        Assert.Equal([100, 101], session.TakeNext(_other, out _)!.Tokens.Ids);
    }

    [Fact]
    public void Rejoin_WithN_SendsFromThereOnAndFinishedAgain()
    {
        var session = Opened();
        Emit(session, 0, 4);
        Finish(session, 4);
        while (session.TakeNext(_stream, out _) is not null)
        {
        }

        session.Release(_stream);
        Assert.True(session.Rejoin(_other, Prompt + 3));
        var tokens = session.TakeNext(_other, out _)!.Tokens;
        Assert.Equal(3, tokens.FirstIndex);
        Assert.Equal([103], tokens.Ids);
        Assert.Equal(WorkerMessage.MessageOneofCase.Finished, session.TakeNext(_other, out _)!.MessageCase);
    }

    [Theory]
    [InlineData(Prompt - 1)]
    [InlineData(Prompt + 3)]
    public void Rejoin_WithTokensThatNeverWere_IsRefused(int known)
    {
        var session = Opened();
        Emit(session, 0, 2);

        Assert.False(session.Rejoin(_stream, known));
    }

    [Fact]
    public void Rejoin_StageWithoutTokens_GetsItsEndWhateverTheRouterKnows()
    {
        var session = new WorkerSession(SessionId.New(), new Epoch(1, Guid.Empty, 0), Prompt, false, 7, _table, emitsTokens: false);
        _table.Add(session);
        session.Adopt(_stream);
        session.Answer(new OpenAck());
        Finish(session, 9);

        Assert.True(session.Rejoin(_other, Prompt + 9));
        Assert.Equal(WorkerMessage.MessageOneofCase.Finished, session.TakeNext(_other, out _)!.MessageCase);
    }

    [Fact]
    public void TakeNext_LogProbs_StandBesideTheirIdsAfterAcknowledgements()
    {
        var session = Opened(logProbs: true);
        Emit(session, 0, 4);
        session.OnAcknowledged(Prompt + 2);
        session.Rejoin(_stream, Prompt + 3);

        var tokens = session.TakeNext(_stream, out _)!.Tokens;
        Assert.Equal([103], tokens.Ids);
        Assert.Equal(-3f, Assert.Single(tokens.LogProbs).LogProb);
    }

    [Fact]
    public void Adopt_AgainBeforeTheAnswer_ChangesNothing()
    {
        var session = new WorkerSession(SessionId.New(), default, Prompt, false, 7, _table);

        Assert.True(session.Adopt(_stream));
        Assert.False(session.Adopt(_stream));
        session.Answer(new OpenAck());
        Assert.NotNull(session.TakeNext(_stream, out var answered));
        Assert.True(answered);
        Assert.True(session.Adopt(_stream));
        Assert.NotNull(session.TakeNext(_stream, out _));
    }

    [Fact]
    public void Fence_OfAStandbyThatIsBehind_KeepsEachTokenInItsPlace()
    {
        // Its engine is in a long step: it adopts mirrored tokens, which the router has named meanwhile, before it hears of the Fence.
        var session = new WorkerSession(SessionId.New(), new Epoch(1, Guid.Empty, 0), Prompt, false, 7, _table, emitsTokens: false);
        session.Adopt(_stream);
        session.Answer(new OpenAck());
        session.TakeNext(_stream, out _);
        session.TryStart([]);
        Emit(session, 0, 3);

        session.Fence(_stream, new Epoch(1, Guid.Empty, 1), [100, 101, 102, 103, 104], emits: true);
        Emit(session, 3, 3);
        session.Answer(new OpenAck { Accepted = new OpenAck.Types.Accepted() });

        var tokens = session.TakeNext(_stream, out _)!.OpenAck.Accepted.Tokens;
        Assert.Equal(5, tokens.FirstIndex);
        Assert.Equal([105], tokens.Ids);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _other.Dispose();
    }

    private WorkerSession Opened(bool logProbs = false)
    {
        var session = new WorkerSession(SessionId.New(), new Epoch(1, Guid.Empty, 0), Prompt, logProbs, 7, _table);
        _table.Add(session);
        session.Adopt(_stream);
        session.Answer(new OpenAck());
        Assert.NotNull(session.TakeNext(_stream, out _));
        Assert.Null(session.TakeNext(_stream, out _));
        return session;
    }

    private static void Emit(WorkerSession session, int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            session.OnToken(new EmittedToken(session.Id, session.Epoch, i, 100 + i, -i, []));
        }
    }

    private static void Finish(WorkerSession session, int generated) =>
        session.OnFinished(new SessionEnd(session.Id, session.Epoch, FinishReason.Stop, Prompt, 0, generated, ""));
}
