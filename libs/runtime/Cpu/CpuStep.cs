using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Cpu;

/// <summary>The present step's slices in native form: positions, and block tables per KV group.</summary>
internal sealed unsafe class CpuStep : IDisposable
{
    private CpuBuffer _ints = new(4096);
    private int _slices;
    private int _groups;
    private int* _tables;
    private long _tablesStride;

    /// <summary>Rows in the step.</summary>
    public int Rows { get; private set; }

    /// <summary>Slices in the step.</summary>
    public int Slices => _slices;

    /// <summary>One past the largest position.</summary>
    public int PositionEnd { get; private set; }

    /// <summary>First row of each slice, and the row count at the end [slices + 1].</summary>
    public int* FirstRows { get; private set; }

    /// <summary>First position of each slice [slices].</summary>
    public int* Starts { get; private set; }

    public void Begin(StepBatch batch, int groups)
    {
        _slices = batch.Slices.Count;
        _groups = groups;
        Rows = batch.RowCount;
        PositionEnd = 0;
        var longest = 0;
        for (var i = 0; i < _slices; i++)
        {
            var slice = batch.Slices[i];
            var end = slice.StartPosition + slice.Count;
            PositionEnd = Math.Max(PositionEnd, end);
            longest = Math.Max(longest, (end + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens);
        }

        _tablesStride = longest;
        var needed = ((2L * _slices) + 1 + (_slices * (long)groups * longest)) * sizeof(int);
        if (_ints.Bytes < needed)
        {
            _ints.Dispose();
            _ints = new CpuBuffer(needed * 2);
        }

        FirstRows = (int*)_ints.Data;
        Starts = FirstRows + _slices + 1;
        _tables = Starts + _slices;
        for (var i = 0; i < _slices; i++)
        {
            var slice = batch.Slices[i];
            FirstRows[i] = slice.FirstRow;
            Starts[i] = slice.StartPosition;
            var blocks = (slice.StartPosition + slice.Count + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens;
            if (slice.BlockTables.Count != groups)
            {
                throw new ArgumentException($"a slice has {slice.BlockTables.Count} block tables, the shard {groups} KV groups");
            }

            for (var group = 0; group < groups; group++)
            {
                slice.BlockTables[group].AsSpan(0, blocks).CopyTo(new Span<int>(BlockTable(i, group), blocks));
            }
        }

        FirstRows[_slices] = Rows;
    }

    /// <summary>A slice's physical blocks in one KV group.</summary>
    public int* BlockTable(int slice, int group) => _tables + (((slice * (long)_groups) + group) * _tablesStride);

    /// <summary>The slice that a row belongs to.</summary>
    public int SliceOf(int row)
    {
        int low = 0, high = _slices - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (FirstRows[middle] <= row)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    public void Dispose() => _ints.Dispose();
}
