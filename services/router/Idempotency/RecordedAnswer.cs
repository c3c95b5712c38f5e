using System.Buffers;
using Parallax.Router.Api;

namespace Parallax.Router.Idempotency;

/// <summary>
/// An answer on its way to several clients: one writer, whose bytes are kept, and followers, each of which gets them from the
/// beginning. The writer waits for the fastest follower; when the last one leaves before the end, the answer is aborted.
/// Where the bytes of all answers exceed their limit, this one keeps only what a follower still lacks, its writer waits for
/// the slowest, and nobody can join it any more. Thread-safe.
/// </summary>
internal sealed class RecordedAnswer : IAnswerOutput, IDisposable
{
    /// <summary>What keeping a piece costs besides its bytes.</summary>
    private const int Overhead = 64;

    private readonly Lock _gate = new(); // guards the followers and everything below them
    private readonly AnswerBudget _budget;
    private readonly CancellationTokenSource _aborting = new();
    private readonly TaskCompletionSource<string> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ArrayBufferWriter<byte> _filling = new(1024); // the writer's alone
    private readonly List<AnswerFollower> _followers = [];
    private readonly List<byte[]> _pieces = [];
    private TaskCompletionSource _changed = NewSignal();
    private int _firstPiece; // pieces that were dropped
    private long _charged;   // bytes of the budget that it holds
    private bool _isKept = true;
    private bool _isAborted;
    private bool _isClosed;
    private bool _isFailed;
    private bool _isBroken; // in the middle: what there is must not look whole
    private string _comment = "";
    private int _comments;

    /// <param name="budget">Pays for what is kept.</param>
    public RecordedAnswer(AnswerBudget budget)
    {
        _budget = budget;
        Aborted = _aborting.Token;
    }

    public CancellationToken Aborted { get; }

    public IBufferWriter<byte> Body => _filling;

    /// <summary>The content type, once the response has begun; faulted with what prevented it.</summary>
    public Task<string> Begun => _begun.Task;

    /// <summary>Whether all of it is there, and it is an answer.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate)
            {
                return _isClosed && _isKept && !_isFailed;
            }
        }
    }

    /// <summary>Whether nobody wants it any more, or it has failed: it will never be complete.</summary>
    public bool IsLost
    {
        get
        {
            lock (_gate)
            {
                return _isFailed || _isAborted;
            }
        }
    }

    /// <summary>Whether somebody reads it.</summary>
    public bool IsFollowed
    {
        get
        {
            lock (_gate)
            {
                return _followers.Count > 0;
            }
        }
    }

    private int End => _firstPiece + _pieces.Count;

    public Task BeginAsync(string contentType)
    {
        _begun.TrySetResult(contentType);
        return Task.CompletedTask;
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_filling.WrittenCount > 0)
        {
            var piece = _filling.WrittenSpan.ToArray();
            _filling.ResetWrittenCount();
            Append(piece);
        }

        while (WhenTaken() is { } changed)
        {
            await changed.WaitAsync(cancellationToken);
        }

        Aborted.ThrowIfCancellationRequested();
    }

    public ValueTask CommentAsync(string text, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _comment = text;
            _comments++;
            Signal();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The writer is done.</summary>
    /// <param name="isAnswer">Whether the bytes are an answer that may be given out again.</param>
    public void Close(bool isAnswer)
    {
        lock (_gate)
        {
            _isClosed = true;
            _isFailed |= !isAnswer;
            _begun.TrySetCanceled(); // a writer that wrote nothing
            Signal();
        }
    }

    /// <summary>The writer failed: before the beginning followers throw the same, later they break off.</summary>
    public void Fail(Exception problem)
    {
        if (_begun.TrySetException(problem))
        {
            _ = _begun.Task.Exception; // there may be no follower left to see it
        }
        else
        {
            lock (_gate)
            {
                _isBroken = true;
            }
        }

        Close(isAnswer: false);
    }

    /// <summary>A new follower, from the beginning; null when it cannot be given the whole answer.</summary>
    /// <param name="isFirst">Whether the answer is generated on this follower's request.</param>
    public AnswerFollower? TryFollow(bool isFirst)
    {
        lock (_gate)
        {
            if (!_isKept || _isFailed || _isAborted)
            {
                return null;
            }

            var follower = new AnswerFollower(this, isFirst, _comments);
            _followers.Add(follower);
            return follower;
        }
    }

    /// <summary>A follower goes.</summary>
    public void Leave(AnswerFollower follower)
    {
        var isLast = false;
        lock (_gate)
        {
            if (_followers.Remove(follower))
            {
                isLast = _followers.Count == 0 && !_isClosed;
                _isAborted |= isLast;
                Trim();
                Signal();
            }
        }

        if (isLast)
        {
            _aborting.Cancel();
        }
    }

    /// <summary>What a follower has to do next.</summary>
    public FollowStep Next(AnswerFollower follower)
    {
        lock (_gate)
        {
            if (follower.NextPiece < End)
            {
                var piece = _pieces[follower.NextPiece++ - _firstPiece];
                Trim();
                Signal(); // the writer may wait for this
                return new FollowStep.Piece(piece);
            }

            if (_isClosed)
            {
                return new FollowStep.End(_isBroken);
            }

            if (follower.CommentsSeen != _comments)
            {
                follower.CommentsSeen = _comments;
                return new FollowStep.Comment(_comment);
            }

            return new FollowStep.Wait(_changed.Task);
        }
    }

    /// <summary>The writer is done, and nobody is to follow any more: what present followers do not need is given up.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isKept = false;
            Trim();
            if (_isAborted)
            {
                return; // the last follower may be about to say so
            }
        }

        _aborting.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Append(byte[] piece)
    {
        var cost = piece.Length + Overhead;
        var isPaid = _isKept && _budget.TryTake(cost); // only the writer clears the flag, and Dispose after it
        lock (_gate)
        {
            _isKept &= isPaid;
            _charged += isPaid ? cost : 0;
            _pieces.Add(piece);
            Trim();
            Signal();
        }
    }

    /// <summary>Null when the writer may go on; else what to await before asking again.</summary>
    private Task? WhenTaken()
    {
        lock (_gate)
        {
            if (_followers.Count == 0)
            {
                return null; // aborted
            }

            var taken = _isKept ? _followers.Max(static each => each.NextPiece) : _followers.Min(static each => each.NextPiece);
            return taken >= End ? null : _changed.Task;
        }
    }

    /// <summary>Drops what nobody needs, unless it is all kept.</summary>
    private void Trim()
    {
        if (_isKept)
        {
            return;
        }

        var needed = _followers.Count == 0 ? End : _followers.Min(static each => each.NextPiece);
        var dropped = needed - _firstPiece;
        for (var i = 0; i < dropped; i++)
        {
            var cost = Math.Min(_charged, _pieces[i].Length + Overhead);
            _charged -= cost;
            _budget.Give(cost);
        }

        _pieces.RemoveRange(0, dropped);
        _firstPiece = needed;
    }

    private void Signal()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }
}
