using Parallax.Transport.Buffers;

namespace Parallax.Transport.Flow;

/// <summary>
/// The accounting of a spill file: which slot holds what, what waits to be written and to be read back, and how much
/// memory that takes. Does no I/O: a thread takes work out of it and says what became of it. Thread-safe.
/// </summary>
/// <remarks>
/// Memory: chunks that wait to be written, at most <see cref="JournalSpillOptions.QueueBytes"/>; of chunks read back one
/// for each journal, so that none waits for another, and beyond these at most
/// <see cref="JournalSpillOptions.ReadAheadBytes"/>. File: <see cref="JournalSpillOptions.Bytes"/>.
/// </remarks>
internal sealed class SpillStore
{
    private const int MaxEntries = 1 << 16;

    private readonly JournalSpillOptions _options;
    private readonly object _gate = new(); // guards all fields and all chunks; Monitor, because the I/O thread waits on it
    private readonly Queue<SpilledChunk> _writes = new();
    private readonly Queue<SpilledChunk> _reads = new();
    private readonly Stack<long> _freeSlots = new();
    private readonly long _slots;
    private long _nextSlot;
    private long _usedSlots;
    private long _queuedBytes;
    private long _loadedBytes;
    private bool _isOff;
    private bool _closed;

    public SpillStore(JournalSpillOptions options)
    {
        _options = options;
        _slots = options.Bytes / options.ChunkBytes;
    }

    /// <summary>Bytes of the file that chunks occupy, those on their way there included.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate)
            {
                return _usedSlots * _options.ChunkBytes;
            }
        }
    }

    /// <summary>Bytes in memory: chunks that wait to be written, and chunks read back.</summary>
    public long MemoryBytes
    {
        get
        {
            lock (_gate)
            {
                return _queuedBytes + _loadedBytes;
            }
        }
    }

    /// <summary>Takes a chunk and its buffer; null, and the buffer stays the caller's, when there is no room for it.</summary>
    public SpilledChunk? TryAdd(TensorBuffer bytes)
    {
        lock (_gate)
        {
            // Chunks that were released before they were written leave an entry behind: hence the bound on these.
            if (_isOff || _closed || bytes.Length > _options.ChunkBytes
                || _queuedBytes + bytes.Length > _options.QueueBytes || _writes.Count >= MaxEntries)
            {
                return null;
            }

            if (!_freeSlots.TryPop(out var slot))
            {
                if (_nextSlot == _slots)
                {
                    return null;
                }

                slot = _nextSlot++;
            }

            var chunk = new SpilledChunk(slot, bytes);
            _usedSlots++;
            _queuedBytes += chunk.Length;
            _writes.Enqueue(chunk);
            Monitor.Pulse(_gate);
            return chunk;
        }
    }

    /// <summary>
    /// Asks for a chunk's bytes. <see cref="SpilledChunk.Bytes"/> is there when the answer is AtHand, and stays until
    /// <see cref="Unwant"/> or <see cref="Release"/>.
    /// </summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="ahead">Whether it will be needed only later: then it is read only if there is memory to spare.</param>
    public SpillAccess Want(SpilledChunk chunk, bool ahead = false)
    {
        lock (_gate)
        {
            if (chunk.Bytes is not null)
            {
                chunk.IsWanted = true;
                return SpillAccess.AtHand;
            }

            if (chunk.Phase == SpillPhase.Lost)
            {
                return SpillAccess.Lost;
            }

            if (chunk.IsReading)
            {
                chunk.IsWanted = true;
                return SpillAccess.OnItsWay;
            }

            if (!ahead || _loadedBytes + chunk.Length <= _options.ReadAheadBytes)
            {
                chunk.IsWanted = chunk.IsReading = true;
                _loadedBytes += chunk.Length;
                _reads.Enqueue(chunk);
                Monitor.Pulse(_gate);
            }

            return SpillAccess.OnItsWay;
        }
    }

    /// <summary>The journal reads elsewhere: the bytes may leave memory.</summary>
    public void Unwant(SpilledChunk chunk)
    {
        lock (_gate)
        {
            chunk.IsWanted = false;
            if (chunk.Phase is SpillPhase.Written or SpillPhase.Lost)
            {
                Unload(chunk);
            }
        }
    }

    /// <summary>The journal lets go of a chunk; its slot is free as soon as no I/O uses it.</summary>
    public void Release(SpilledChunk chunk)
    {
        lock (_gate)
        {
            if (chunk.IsReleased)
            {
                return;
            }

            (chunk.IsReleased, chunk.IsWanted) = (true, false);
            switch (chunk.Phase)
            {
                case SpillPhase.Queued:
                    _queuedBytes -= chunk.Length;
                    DropBytes(chunk);
                    FreeSlot(chunk);
                    break;
                case SpillPhase.Written when !chunk.IsReading:
                    Unload(chunk);
                    FreeSlot(chunk);
                    break;
                case SpillPhase.Lost:
                    Unload(chunk);
                    break;
                default:
                    break; // whoever reads or writes it finds out
            }
        }
    }

    /// <summary>No further chunks are taken, and those that wait to be written are lost. What is in the file stays.</summary>
    public void TurnOff()
    {
        lock (_gate)
        {
            _isOff = true;
            DropWrites();
        }
    }

    /// <summary>Ends <see cref="WaitForWork"/>; what waits is lost.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            DropWrites();
            while (_reads.TryDequeue(out var chunk))
            {
                FinishRead(chunk, null);
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Blocks until there is work; false when the store is closed. For the I/O thread.</summary>
    public bool WaitForWork(out SpillWork work)
    {
        lock (_gate)
        {
            while (!_closed)
            {
                if (TryTake(out work))
                {
                    return true;
                }

                Monitor.Wait(_gate);
            }

            work = default;
            return false;
        }
    }

    /// <summary>The next work, if there is any.</summary>
    public bool TryTakeWork(out SpillWork work)
    {
        lock (_gate)
        {
            return TryTake(out work);
        }
    }

    /// <summary>A chunk has been written, or could not be.</summary>
    public void OnWritten(SpilledChunk chunk, bool succeeded)
    {
        lock (_gate)
        {
            FinishWrite(chunk, succeeded);
        }
    }

    /// <summary>A chunk has been read back, or could not be (null), or was damaged (null); takes the buffer.</summary>
    public void OnRead(SpilledChunk chunk, TensorBuffer? bytes)
    {
        lock (_gate)
        {
            FinishRead(chunk, bytes);
        }
    }

    // All below: under the lock.
    private bool TryTake(out SpillWork work)
    {
        // Reads first: somebody waits for them. Also one that is not wanted any more is done, because its wake may be
        // waited for.
        while (_reads.TryDequeue(out var chunk))
        {
            if (!chunk.IsReleased)
            {
                work = new SpillWork(SpillWorkKind.Read, chunk, null);
                return true;
            }

            chunk.IsReading = false;
            _loadedBytes -= chunk.Length;
            FreeSlot(chunk);
        }

        if (_usedSlots == 0 && _nextSlot > 0)
        {
            _nextSlot = 0;
            _freeSlots.Clear();
            _writes.Clear(); // all of them released
            work = new SpillWork(SpillWorkKind.Clear, null, null);
            return true;
        }

        while (_writes.TryDequeue(out var chunk))
        {
            if (!chunk.IsReleased)
            {
                chunk.Phase = SpillPhase.Writing;
                work = new SpillWork(SpillWorkKind.Write, chunk, chunk.Bytes!.Share());
                return true;
            }
        }

        work = default;
        return false;
    }

    private void FinishWrite(SpilledChunk chunk, bool succeeded)
    {
        _queuedBytes -= chunk.Length;
        chunk.Phase = succeeded ? SpillPhase.Written : SpillPhase.Lost;
        if (chunk.IsWanted)
        {
            _loadedBytes += chunk.Length; // somebody reads it
        }
        else
        {
            DropBytes(chunk);
        }

        if (chunk.IsReleased || !succeeded)
        {
            FreeSlot(chunk);
        }
    }

    private void FinishRead(SpilledChunk chunk, TensorBuffer? bytes)
    {
        chunk.IsReading = false;
        if (chunk.IsWanted && bytes is not null)
        {
            chunk.Bytes = bytes;
            return;
        }

        bytes?.Dispose();
        _loadedBytes -= chunk.Length;
        if (bytes is null)
        {
            chunk.Phase = SpillPhase.Lost;
        }

        if (bytes is null || chunk.IsReleased)
        {
            FreeSlot(chunk);
        }
    }

    private void DropWrites()
    {
        while (_writes.TryDequeue(out var chunk))
        {
            if (!chunk.IsReleased)
            {
                FinishWrite(chunk, succeeded: false);
            }
        }
    }

    private void Unload(SpilledChunk chunk)
    {
        if (chunk.Bytes is not null)
        {
            _loadedBytes -= chunk.Length;
            DropBytes(chunk);
        }
    }

    private static void DropBytes(SpilledChunk chunk)
    {
        chunk.Bytes?.Dispose();
        chunk.Bytes = null;
    }

    private void FreeSlot(SpilledChunk chunk)
    {
        _freeSlots.Push(chunk.Slot);
        _usedSlots--;
        if (_usedSlots == 0)
        {
            Monitor.Pulse(_gate); // the file can be cleared
        }
    }
}
