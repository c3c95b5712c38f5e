using Parallax.Runtime.Execution;
using Parallax.Transport.Flow;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// Outputs beside the KV blocks: what a cached or fetched prefix brings along, so that its session need not compute again
/// what the next hop asks for.
/// </summary>
internal sealed partial class StageLoop
{
    /// <summary>Rows that go into a journal in one go: the next hop's acknowledgements bring the loop back for more.</summary>
    private const int FillRows = 256;

    private void KeepBesideKv(StageSession session, int position, ReadOnlySpan<byte> row, bool isRebuild)
    {
        if (Outputs is not null && BlockOf(session, position) is var block and >= 0)
        {
            Outputs.Put(block, position % KvGroup.BlockTokens, row, isRebuild);
        }
    }

    /// <summary>
    /// Moves outputs that the next hop needs, and that are kept beside the session's KV, into its journal; false when there
    /// was no room for one, so that it is to be tried again.
    /// </summary>
    private bool TryFillJournal(StageSession session)
    {
        if (Outputs is null || _isTail || session.IsStandby || session.State is SessionState.Opened or SessionState.Ended)
        {
            return true;
        }

        var left = FillRows;
        foreach (var range in session.Sender.Missing(session.Sequence.Length).Ranges)
        {
            for (var position = range.Start; position < range.End && left > 0; position++)
            {
                if (!IsKept(session, position))
                {
                    continue;
                }

                if (!TryReserveOutputs(session, position, 1))
                {
                    return false;
                }

                var row = Outputs.Row(BlockOf(session, position), position % KvGroup.BlockTokens);
                if (!session.Journal.TryPut(session.Sender, position, session.IdsAt(position, 1)[0], row))
                {
                    throw new InvalidOperationException($"the journal of session {session.Id} had reserved position {position}");
                }

                session.NoteOutput(position);
                left--;
            }
        }

        return true;
    }

    /// <summary>Positions whose outputs the next hop needs and that are to be had from nowhere but by computing.</summary>
    private PositionSet MissingOf(StageSession session)
    {
        var missing = session.Sender.Missing(session.Sequence.Length);
        if (Outputs is null || missing.IsEmpty)
        {
            return missing;
        }

        var (first, end) = (missing.Ranges[0].Start, missing.End);
        for (var position = first; position < end; position++)
        {
            if (IsKept(session, position))
            {
                missing.Remove(position, position + 1);
            }
        }

        return missing;
    }

    private bool IsKept(StageSession session, int position) =>
        BlockOf(session, position) is var block and >= 0 && Outputs!.Holds(block, position % KvGroup.BlockTokens);

    /// <summary>The physical block of a position in the first KV group; -1 where it is not held.</summary>
    private static int BlockOf(StageSession session, int position)
    {
        var table = session.Sequence.Tables[0];
        return position / KvGroup.BlockTokens < table.Length ? table[position / KvGroup.BlockTokens] : -1;
    }
}
