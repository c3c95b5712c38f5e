using System.Collections.Immutable;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

/// <summary>
/// Blocks from other workers, the first rung when a session's state is to be had (session protocol, rule 7). They come
/// between an Open, or a Fence, and its acknowledgement, while the session stands still: what is in by then counts as held,
/// exactly as a cached prefix does, and the rest is refilled as if there were no exchange.
/// </summary>
internal abstract partial class SessionLoop<TSession>
{
    private readonly List<TSession> _restoring = [];
    private readonly RestoreEstimate _estimate = new();
    private readonly BlockLayout? _layout;

    public sealed override BlockWriter? Writer { get; }

    /// <summary>When the first of the sessions that wait for blocks has waited long enough.</summary>
    private TimeSpan RestoreDue { get; set; } = TimeSpan.MaxValue;

    public sealed override bool TryRestore(Opening opening, TimeSpan now)
    {
        var request = opening.Request;
        if (Options.Blocks is not { } blocks || _layout is null
            || blocks.RestoreTime == TimeSpan.Zero || !blocks.Exchange.IsOpen
            || Table.Find(request.Session, request.Epoch) is not { State: SessionState.Opened } session)
        {
            return false;
        }

        // The last known token's position always runs: its block is never whole here.
        var sequence = session.Sequence;
        ImmutableArray<int> ids = [.. request.PromptTokenIds, .. request.AnswerTokenIds];
        var end = (ids.Length - 1) / KvGroup.BlockTokens;
        var before = sequence.Length;
        if (Cache.Match(sequence, ids.AsSpan(), end * KvGroup.BlockTokens) != before)
        {
            session.CachedPrefix = sequence.Length;
            OnRestored(session);
        }

        if (sequence.IsPrivate || sequence.CommittedBlocks >= end)
        {
            return false;
        }

        var missing = (end * KvGroup.BlockTokens) - sequence.Length;
        var seconds = Counters.Timings.ReadPrefill() / 1000;
        var bytes = _layout.KvBytes / (double)KvGroup.BlockTokens;
        if (missing < KvGroup.BlockTokens || !_estimate.IsWorthwhile(missing, seconds, bytes, now))
        {
            return false;
        }

        var most = request.TimeLeft is { } left && left < blocks.RestoreTime ? left : blocks.RestoreTime;
        var query = new BlockQuery(
            request.CacheSalt,
            [.. Cache.HashesFrom(sequence, ids.AsSpan(), end)],
            sequence.CommittedBlocks,
            Shard.Range,
            Outputs is not null,
            RestoreEstimate.TimeFor(missing, seconds, most));
        var running = _restoring.Select(static other => other.Restore!).Where(static other => other.Leader is null).ToList();
        var leader = running.Find(other => other.Query.Hashes.Contains(query.Hashes[0]));
        if (leader is null && running.Count >= blocks.MaxRestores)
        {
            return false;
        }

        session.Restore = new BlockRestore(opening, ids, query, blocks.RestoreWindow, now) { Leader = leader };
        _restoring.Add(session);
        RestoreDue = session.Restore.Due < RestoreDue ? session.Restore.Due : RestoreDue;
        Counters.AddRestore();
        if (leader is null)
        {
            session.Restore.Begin(blocks.Exchange, Wake);
        }

        return true;
    }

    public sealed override void AdvanceRestores(TimeSpan now)
    {
        if (_restoring.Count == 0)
        {
            return;
        }

        // A few blocks a turn, so that sessions that run are not held up; whoever waits longest comes first.
        var left = Options.Blocks!.RestoreWindow;
        for (var i = 0; i < _restoring.Count;)
        {
            var session = _restoring[i];
            Advance(session, now, ref left);
            i += session.Restore is null ? 0 : 1;
        }

        if (left == 0)
        {
            Wake();
        }

        RestoreDue = _restoring.Count == 0 ? TimeSpan.MaxValue : _restoring.Min(static session => session.Restore!.Due);
        PublishGauges();
    }

    /// <summary>Blocks have come, or the session has found some in its own cache: it holds more than it did when it was opened.</summary>
    protected virtual void OnRestored(TSession session)
    {
    }

    private void Advance(TSession session, TimeSpan now, ref int left)
    {
        var restore = session.Restore!;
        if (restore.Leader is { } leader)
        {
            Follow(session, restore, leader, now);
            return;
        }

        while (left > 0 && restore.TryTake(out var block))
        {
            left--;
            if (FindFault(restore, block) is { } fault)
            {
                Counters.AddBlocksRefused(fault);
                FinishRestore(session, now);
                return;
            }

            if (!TryTakeIn(session, restore, block))
            {
                FinishRestore(session, now);
                return;
            }

            restore.Note(now);
            if (restore.IsComplete)
            {
                break;
            }
        }

        if (restore.IsComplete)
        {
            FinishRestore(session, now);
        }
        else if (restore.HasEnded)
        {
            if (restore.Failure is { } failure)
            {
                Counters.AddRestoreFailure($"fetching blocks failed: {failure.GetType().Name}: {failure.Message}");
                _estimate.Failed(now);
            }

            FinishRestore(session, now);
        }
        else if (now >= restore.Due)
        {
            Counters.AddRestoreFailure(
                $"of {restore.Query.Hashes.Length} blocks {restore.Taken} had come when {restore.Query.TimeLeft.TotalMilliseconds:0} ms had passed");
            if (restore.Taken == 0)
            {
                _estimate.Failed(now);
            }

            FinishRestore(session, now);
        }
        else if (restore.Opening.Answer.Task.IsCompleted)
        {
            FinishRestore(session, now); // its caller has gone
        }
    }

    /// <summary>Several sessions with one prefix, opened at once: one fetches it, and the others find it in the cache when it is in.</summary>
    private void Follow(TSession session, BlockRestore restore, BlockRestore leader, TimeSpan now)
    {
        if (!leader.IsOver && now < restore.Due && !restore.Opening.Answer.Task.IsCompleted)
        {
            return;
        }

        var end = restore.Query.FirstIndex + restore.Query.Hashes.Length;
        if (Cache.Match(session.Sequence, restore.TokenIds.AsSpan(), end * KvGroup.BlockTokens) > 0)
        {
            OnRestored(session);
        }

        FinishRestore(session, now);
    }

    /// <summary>What is wrong with a block that came: nothing of it has been used; null when it is sound.</summary>
    private string? FindFault(BlockRestore restore, FetchedBlock block)
    {
        var expected = restore.Query.Hashes[restore.Taken];
        if (block.Hash != expected || block.Parts.IsDefault || block.Parts.Length > 2 * (_layout!.Layers.Length + 1))
        {
            return $"block {restore.Query.FirstIndex + restore.Taken} of a chain came as another one";
        }

        foreach (var layer in _layout!.Layers)
        {
            var address = new BlockPartAddress(expected, BlockPartKind.Kv, layer.Index);
            var part = Find(block, address);
            var fault = part is { } found ? BlockPartForm.Check(found, address, layer.Shape) : BlockPartFault.Address;
            if (fault != BlockPartFault.None)
            {
                return $"block {restore.Query.FirstIndex + restore.Taken} of a chain, keys and values of layer {layer.Index}: "
                    + (part is null ? "missing" : $"wrong {fault.ToString().ToLowerInvariant()}");
            }
        }

        return null;
    }

    private static BlockPart? Find(FetchedBlock block, BlockPartAddress address)
    {
        foreach (var part in block.Parts)
        {
            if (part.Address == address)
            {
                return part;
            }
        }

        return null;
    }

    /// <summary>Copies a checked block in, as if it had been computed; false when there is no room for it, or its values cannot be computed with.</summary>
    private bool TryTakeIn(TSession session, BlockRestore restore, FetchedBlock block)
    {
        // 1. A partial block that is held gives way to the whole one.
        var sequence = session.Sequence;
        var index = restore.Query.FirstIndex + restore.Taken;
        var start = index * KvGroup.BlockTokens;
        if (Cache.Truncate(sequence, start) != start || sequence.CommittedBlocks != index
            || !Cache.TryReserve(sequence, start + KvGroup.BlockTokens))
        {
            OnRestored(session);
            return false;
        }

        // 2. Its parts.
        foreach (var layer in _layout!.Layers)
        {
            var part = Find(block, new BlockPartAddress(block.Hash, BlockPartKind.Kv, layer.Index))!.Value;
            if (!Shard.WriteKv(layer.Index, sequence.Tables[layer.Group][index], part.Bytes.Span[BlockPartForm.HeaderBytes..]))
            {
                Counters.AddBlocksRefused($"block {index} of a chain has values that are not finite numbers in layer {layer.Index}");
                OnRestored(session);
                return false;
            }
        }

        if (Outputs is not null)
        {
            Outputs.Write(sequence.Tables[0][index], OutputsOf(block));
        }

        // 3. It is a cached prefix from now on, and others have it already.
        Cache.Commit(sequence, restore.TokenIds.AsSpan(), start + KvGroup.BlockTokens);
        if (Cache.Prefixes.FindHash(block.Hash) is var node and not PrefixCache.None)
        {
            Cache.Prefixes.MarkShared(node);
        }

        Counters.AddRestored(KvGroup.BlockTokens);
        OnRestored(session);
        return true;
    }

    /// <summary>The rows of a block's outputs; empty when there are none, or unsound ones.</summary>
    private ReadOnlySpan<byte> OutputsOf(FetchedBlock block)
    {
        var address = new BlockPartAddress(block.Hash, BlockPartKind.Outputs, Info.Range.End - 1);
        if (Find(block, address) is not { } part)
        {
            return default;
        }

        var fault = BlockPartForm.Check(part, address, _layout!.Outputs);
        if (fault != BlockPartFault.None)
        {
            Counters.AddBlocksRefused($"outputs of layer {address.Layer} have a wrong {fault.ToString().ToLowerInvariant()}");
            return default;
        }

        return part.Bytes.Span[BlockPartForm.HeaderBytes..];
    }

    /// <summary>The Open is answered with what is in.</summary>
    private void FinishRestore(TSession session, TimeSpan now)
    {
        var restore = Forget(session);
        if (restore.Taken > 0)
        {
            _estimate.Answered(restore.FirstAt - restore.Began, (restore.Taken - 1) * _layout!.KvBytes, now - restore.FirstAt);
        }
        else if (restore.HasEnded && restore.Failure is null)
        {
            _estimate.Answered(now - restore.Began, 0, TimeSpan.Zero);
        }

        Counters.SetRestoreTime(1000 * _estimate.SecondsPerPosition(_layout!.KvBytes / (double)KvGroup.BlockTokens, now));
        session.CachedPrefix = session.Sequence.Length;
        session.CachedTokens = session.IsFenced ? session.CachedTokens : session.CachedPrefix;
        if (!restore.Opening.Answer.TrySetResult(new OpenResult(session.CachedPrefix, null, "")))
        {
            Withdraw(session.Id, session.Epoch);
        }
    }

    /// <summary>The session goes on without the rest, or ends: whoever waits is told that it was opened, as it was.</summary>
    private void CallOff(TSession session)
    {
        if (session.Restore is not null)
        {
            session.CachedPrefix = session.Sequence.Length;
            Forget(session).Opening.Answer.TrySetResult(new OpenResult(session.CachedPrefix, null, ""));
        }
    }

    private BlockRestore Forget(TSession session)
    {
        var restore = session.Restore!;
        session.Restore = null;
        _restoring.Remove(session);
        RestoreDue = _restoring.Count == 0 ? TimeSpan.MaxValue : RestoreDue;
        restore.Dispose();
        return restore;
    }
}
