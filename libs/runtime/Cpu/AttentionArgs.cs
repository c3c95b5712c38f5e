namespace Parallax.Runtime.Cpu;

/// <summary>One session's rows in one layer's attention, for kernels.</summary>
internal unsafe struct AttentionArgs
{
    /// <summary>Queries of the slice's first row, after norm and rotation; [rows, QueryStride], heads side by side.</summary>
    public float* Queries;

    public int QueryStride;

    /// <summary>Output of the slice's first row.</summary>
    public float* Output;

    public int OutputStride;

    /// <summary>Physical block of each 16 positions, or -1 behind the window.</summary>
    public int* BlockTable;

    /// <summary>Absolute position of the slice's first row.</summary>
    public int StartPosition;

    /// <summary>Query heads per KV head.</summary>
    public int HeadsPerKv;

    public int KvHead;

    public int HeadDim;

    /// <summary>Attention window; int.MaxValue for none.</summary>
    public int Window;

    public float Scale;
}
