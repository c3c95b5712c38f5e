namespace Parallax.Transport.Buffers;

/// <summary>Counts bytes that are held somewhere. Thread-safe.</summary>
internal interface IBufferLedger
{
    /// <summary>Bytes came to be held.</summary>
    void Take(int bytes);

    /// <summary>Bytes are held no more.</summary>
    void Release(int bytes);
}
