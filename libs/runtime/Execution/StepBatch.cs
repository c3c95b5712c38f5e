namespace Parallax.Runtime.Execution;

/// <summary>
/// One step's work for a shard: rows (tokens) of several sessions, prefill and decode mixed. Reused from step to
/// step by one owner (the executor's loop); nothing is allocated once its buffers have grown.
/// </summary>
public sealed class StepBatch
{
    private readonly List<StepSlice> _slices = [];
    private readonly List<int> _logitRows = [];
    private int[] _tokenIds = new int[64];
    private int _rows;

    /// <summary>Rows in the batch.</summary>
    public int RowCount => _rows;

    /// <summary>Token ids of the rows, [rows].</summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, _rows);

    /// <summary>The sessions' slices; together they cover all rows, in order.</summary>
    public IReadOnlyList<StepSlice> Slices => _slices;

    /// <summary>Rows whose logits are wanted, ascending.</summary>
    public IReadOnlyList<int> LogitRows => _logitRows;

    /// <summary>Empties the batch, keeping its buffers.</summary>
    public void Clear()
    {
        _rows = 0;
        _slices.Clear();
        _logitRows.Clear();
    }

    /// <summary>
    /// Appends consecutive positions of one session.
    /// </summary>
    /// <param name="tokenIds">Their token ids; at least one.</param>
    /// <param name="startPosition">Absolute position of the first.</param>
    /// <param name="blockTables">The session's block table per KV group; borrowed until the step ends.</param>
    /// <param name="wantLastLogits">Whether the last row's logits are wanted.</param>
    public void Add(ReadOnlySpan<int> tokenIds, int startPosition, IReadOnlyList<int[]> blockTables, bool wantLastLogits)
    {
        ArgumentNullException.ThrowIfNull(blockTables);
        ArgumentOutOfRangeException.ThrowIfNegative(startPosition);
        ArgumentOutOfRangeException.ThrowIfZero(tokenIds.Length);
        if (_rows + tokenIds.Length > _tokenIds.Length)
        {
            Array.Resize(ref _tokenIds, Math.Max(_tokenIds.Length * 2, _rows + tokenIds.Length));
        }

        tokenIds.CopyTo(_tokenIds.AsSpan(_rows));
        _slices.Add(new StepSlice(_rows, tokenIds.Length, startPosition, blockTables));
        _rows += tokenIds.Length;
        if (wantLastLogits)
        {
            _logitRows.Add(_rows - 1);
        }
    }

    /// <summary>Also wants the logits of <paramref name="row"/>; rows must be added in ascending order.</summary>
    public void WantLogits(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, _rows);
        if (_logitRows.Count == 0 || _logitRows[^1] < row)
        {
            _logitRows.Add(row);
        }
    }
}
