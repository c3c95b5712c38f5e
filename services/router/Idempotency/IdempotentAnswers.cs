using System.Collections.Immutable;
using Parallax.Router.Api;

namespace Parallax.Router.Idempotency;

/// <summary>
/// The answers that idempotency keys stand for on this router: those under way, which duplicates join, and complete ones,
/// which are given out again until time or room is up. Answers that failed are forgotten, so that a client can try again.
/// Thread-safe.
/// </summary>
internal sealed class IdempotentAnswers
{
    private readonly IdempotencyLimits _limits;
    private readonly TimeProvider _clock;
    private readonly AnswerBudget _budget;
    private readonly Lock _gate = new(); // guards what follows; taken before an answer's, never after
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _complete = new(); // oldest first

    public IdempotentAnswers(IdempotencyLimits limits, TimeProvider clock)
    {
        _limits = limits;
        _clock = clock;
        _budget = new AnswerBudget(limits.Bytes) { MakeRoom = DropOldest };
    }

    /// <summary>Answers, complete or under way.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>Bytes that they take.</summary>
    public long Bytes => _budget.Used;

    /// <summary>
    /// Follows the answer that a key stands for; where there is none, it is generated now, on nobody's request in
    /// particular: as long as somebody follows.
    /// </summary>
    /// <param name="scope">Whose key, and which.</param>
    /// <param name="body">Digest of the request's body.</param>
    /// <param name="generate">Writes the answer; says whether it is complete.</param>
    /// <exception cref="ApiException">The key stands for another request, or for an answer that cannot be joined.</exception>
    public AnswerFollower Enter(string scope, ReadOnlySpan<byte> body, Func<IAnswerOutput, Task<bool>> generate)
    {
        Entry entry;
        AnswerFollower follower;
        lock (_gate)
        {
            DropExpired();
            if (_entries.TryGetValue(scope, out var present))
            {
                if (!present.Body.AsSpan().SequenceEqual(body))
                {
                    throw ApiException.OtherRequest(
                        RequestHeaders.IdempotencyKeyName, $"'{RequestHeaders.IdempotencyKeyName}' was used with another body. Use a new key for a new request.");
                }

                if (present.Answer.TryFollow(isFirst: false) is { } joined)
                {
                    return joined;
                }

                if (!present.Answer.IsLost)
                {
                    throw ApiException.InProgress(
                        $"A request with this '{RequestHeaders.IdempotencyKeyName}' is under way, and its answer is too long to be kept for another. Try again later.");
                }
            }

            entry = new Entry(scope, [.. body], new RecordedAnswer(_budget));
            follower = entry.Answer.TryFollow(isFirst: true)!; // nobody else has seen it
            _entries[scope] = entry;
        }

        // Not awaited: followers await what it writes, and it ends by itself when they are gone.
        _ = RunAsync(entry, generate);
        return follower;
    }

    private async Task RunAsync(Entry entry, Func<IAnswerOutput, Task<bool>> generate)
    {
        await Task.Yield(); // on no request's time
        try
        {
            entry.Answer.Close(isAnswer: await generate(entry.Answer));
        }
        catch (Exception e)
        {
            entry.Answer.Fail(e); // its followers throw it
        }

        lock (_gate)
        {
            if (entry.Answer.IsComplete)
            {
                entry.CompletedAt = _clock.GetTimestamp();
                _complete.AddLast(entry);
                DropExpired();
            }
            else
            {
                Remove(entry);
            }
        }
    }

    private void DropExpired()
    {
        while (_complete.First is { Value: var oldest }
            && (_complete.Count > _limits.Answers || _clock.GetElapsedTime(oldest.CompletedAt) >= _limits.Time)
            && TryDropOldest())
        {
        }
    }

    private bool DropOldest()
    {
        lock (_gate)
        {
            return TryDropOldest();
        }
    }

    /// <summary>Drops the oldest answer that nobody reads: what is being read stays accounted for.</summary>
    private bool TryDropOldest()
    {
        for (var node = _complete.First; node is not null; node = node.Next)
        {
            if (!node.Value.Answer.IsFollowed)
            {
                _complete.Remove(node);
                Remove(node.Value);
                return true;
            }
        }

        return false;
    }

    private void Remove(Entry entry)
    {
        // A new request may have taken the key since.
        if (_entries.TryGetValue(entry.Scope, out var present) && ReferenceEquals(present, entry))
        {
            _entries.Remove(entry.Scope);
        }

        entry.Answer.Dispose();
    }

    private sealed class Entry(string scope, ImmutableArray<byte> body, RecordedAnswer answer)
    {
        public string Scope => scope;

        public ImmutableArray<byte> Body => body;

        public RecordedAnswer Answer => answer;

        public long CompletedAt { get; set; }
    }
}
