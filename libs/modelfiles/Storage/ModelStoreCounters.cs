namespace Parallax.ModelFiles.Storage;

/// <summary>What a store has fetched, served and refused since it was made. Thread-safe.</summary>
public sealed class ModelStoreCounters
{
    private long _fetched;
    private long _served;
    private long _banned;
    private long _refused;

    /// <summary>Bytes of chunks from peers that were checked and written.</summary>
    public long BytesFetched => Interlocked.Read(ref _fetched);

    /// <summary>Bytes of chunks sent to peers.</summary>
    public long BytesServed => Interlocked.Read(ref _served);

    /// <summary>Times that a peer was given up for wrong bytes.</summary>
    public long PeersBanned => Interlocked.Read(ref _banned);

    /// <summary>Streams refused because enough ran.</summary>
    public long StreamsRefused => Interlocked.Read(ref _refused);

    internal void CountFetched(long bytes) => Interlocked.Add(ref _fetched, bytes);

    internal void CountServed(long bytes) => Interlocked.Add(ref _served, bytes);

    internal void CountBanned() => Interlocked.Increment(ref _banned);

    internal void CountRefused() => Interlocked.Increment(ref _refused);
}
