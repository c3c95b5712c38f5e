using System.Runtime.InteropServices;

namespace Parallax.Runtime.Cpu;

/// <summary>Zeroed native memory, aligned to 64 bytes; freed once by Dispose or the finaliser.</summary>
internal sealed unsafe class CpuBuffer : IDisposable
{
    private void* _data;

    /// <param name="bytes">Size in bytes; at least 1.</param>
    public CpuBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        Bytes = bytes;
        _data = NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(_data, (nuint)bytes);
        GC.AddMemoryPressure(bytes);
    }

    ~CpuBuffer() => Free();

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The first byte; valid until Dispose.</summary>
    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_data is null, this);
            return (byte*)_data;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_data is not null)
        {
            NativeMemory.AlignedFree(_data);
            _data = null;
            GC.RemoveMemoryPressure(Bytes);
        }
    }
}
