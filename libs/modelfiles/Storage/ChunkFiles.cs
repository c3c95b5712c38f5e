using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>A model's files, opened as they are needed and kept open. Thread-safe.</summary>
internal sealed class ChunkFiles(ModelManifest manifest, ImmutableArray<string> paths, bool writable) : IDisposable
{
    private readonly Lock _gate = new(); // guards _handles and _disposed
    private readonly SafeFileHandle?[] _handles = new SafeFileHandle?[paths.Length];
    private bool _disposed;

    /// <summary>Whether all files are there in their full length.</summary>
    public static bool AreIntact(ModelManifest manifest, ImmutableArray<string> paths) =>
        !paths.Where((path, index) => !File.Exists(path) || new FileInfo(path).Length != manifest.Files[index].Length).Any();

    public async ValueTask ReadAsync(int chunk, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var file = manifest.FileOf(chunk);
        var offset = manifest.OffsetOf(chunk);
        var handle = Open(file);
        while (buffer.Length > 0)
        {
            var read = await RandomAccess.ReadAsync(handle, buffer, offset, cancellationToken);
            if (read == 0)
            {
                throw new IOException($"{paths[file]} became shorter than it was.");
            }

            offset += read;
            buffer = buffer[read..];
        }
    }

    public ValueTask WriteAsync(int chunk, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        RandomAccess.WriteAsync(Open(manifest.FileOf(chunk)), bytes, manifest.OffsetOf(chunk), cancellationToken);

    /// <summary>Makes files as long as they will be; what has not been written takes no room on most file systems.</summary>
    public void Allocate()
    {
        for (var i = 0; i < paths.Length; i++)
        {
            var handle = Open(i);
            if (RandomAccess.GetLength(handle) != manifest.Files[i].Length)
            {
                RandomAccess.SetLength(handle, manifest.Files[i].Length);
            }
        }
    }

    /// <summary>Puts what was written onto the disk.</summary>
    public void Flush()
    {
        SafeFileHandle?[] open;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            open = [.. _handles];
        }

        foreach (var handle in open)
        {
            if (handle is not null)
            {
                RandomAccess.FlushToDisk(handle);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var handle in _handles)
            {
                handle?.Dispose();
            }
        }
    }

    private SafeFileHandle Open(int file)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _handles[file] ??= writable
                ? File.OpenHandle(paths[file], FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous)
                : File.OpenHandle(paths[file], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        }
    }
}
