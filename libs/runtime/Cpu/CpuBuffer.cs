using System.Runtime.InteropServices;

namespace Parallax.Runtime.Cpu;

/// <summary>Zeroed native memory, aligned to 64 bytes; freed once by Dispose or the finaliser.</summary>
internal sealed unsafe class CpuBuffer : IDisposable
{
    private const int Alignment = 64;

    private void* _allocation;
    private byte* _data;

    /// <param name="bytes">Size in bytes; at least 1.</param>
    public CpuBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        Bytes = bytes;

        // Zeroed by the system page by page as it is touched: KV blocks cost memory when they are used.
        _allocation = NativeMemory.AllocZeroed((nuint)bytes + Alignment);
        _data = (byte*)(((nuint)_allocation + (Alignment - 1)) & ~(nuint)(Alignment - 1));
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
            return _data;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_allocation is not null)
        {
            NativeMemory.Free(_allocation);
            _allocation = null;
            _data = null;
        }
    }
}
