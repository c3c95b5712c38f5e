namespace Parallax.Runtime.Cpu;

/// <summary>Scratch for the quantised activations of one linear layer; grows and is reused.</summary>
internal sealed unsafe class QuantizedInput : IDisposable
{
    private CpuBuffer _buffer = new(64);

    /// <summary>Points the arguments' quantised inputs at scratch of their rows and the given columns.</summary>
    public void Attach(ref LinearArgs args, int columns)
    {
        var blocks = columns / 32;
        var rows = (long)args.Rows;
        var bytes = rows * columns * sizeof(short);
        var floats = rows * blocks * sizeof(float);
        var needed = bytes + (4 * floats);
        if (_buffer.Bytes < needed)
        {
            _buffer.Dispose();
            _buffer = new CpuBuffer(needed + (needed / 4));
        }

        var next = _buffer.Data;
        args.Scale = (float*)next;
        next += floats;
        args.ScaledSum = (float*)next;
        next += floats;
        args.Sum16 = (int*)next;
        next += 2 * floats;
        args.Q = (short*)next;
        args.QStride = columns;
        args.BlockStride = blocks;
    }

    public void Dispose() => _buffer.Dispose();
}
