using System.Collections.Immutable;
using System.Text;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>
/// A model that is fetched piece by piece: sparse files, its manifest, and the record of chunks that were checked and
/// written. A chunk counts as there only after its bytes are on the disk. One process at a time writes (the store's
/// lock); any may read. Thread-safe.
/// </summary>
internal sealed class CachedModel : IChunkSource, IDisposable
{
    private const string ManifestName = "manifest";
    private const string RecordName = "chunks";
    private const string NameName = "name";
    private const string VerifiedName = "verified";
    private const int MaxNameBytes = 1024;

    private readonly Lock _gate = new(); // guards the fields below
    private readonly string _folder;
    private readonly ChunkFiles _files;
    private ChunkSet _held;
    private ChunkSet _unsaved;
    private DateTime _recordTime;

    private CachedModel(string folder, string name, ModelManifest manifest)
    {
        _folder = folder;
        Name = name;
        Manifest = manifest;
        Path = System.IO.Path.Combine(folder, "files", ModelNaming.RelativePath(name, manifest.Layout));
        ImmutableArray<string> paths = manifest.Layout == ModelLayout.Gguf
            ? [Path]
            : [.. manifest.Files.Select(file => System.IO.Path.Combine(Path, file.Name))];
        _files = new ChunkFiles(manifest, paths, writable: true);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(paths[0])!);
        if (!ChunkFiles.AreIntact(manifest, paths))
        {
            // Somebody deleted or cut a file: what was recorded of it is worth nothing.
            File.Delete(RecordPath);
            File.Delete(System.IO.Path.Combine(folder, VerifiedName));
        }

        _files.Allocate();
        _held = new ChunkSet(manifest.ChunkCount);
        _unsaved = new ChunkSet(manifest.ChunkCount);
        Refresh();
    }

    public string Name { get; }

    public string Path { get; }

    public ModelManifest Manifest { get; }

    /// <summary>Whether the whole model's weights hash was recomputed and found right.</summary>
    public bool IsVerified => File.Exists(System.IO.Path.Combine(_folder, VerifiedName));

    /// <summary>Opens what an earlier run left; null when there is nothing usable.</summary>
    public static CachedModel? TryOpen(string folder, string weightsHash)
    {
        if (AtomicFile.TryRead(System.IO.Path.Combine(folder, ManifestName), ManifestLimits.MaxBytes) is not { } encoded
            || AtomicFile.TryRead(System.IO.Path.Combine(folder, NameName), MaxNameBytes) is not { } name)
        {
            return null;
        }

        try
        {
            return new CachedModel(folder, Encoding.UTF8.GetString(name), ManifestReader.Read(encoded, weightsHash));
        }
        catch (ModelFilesException e) when (e.Problem is ModelFilesProblem.Malformed or ModelFilesProblem.Name)
        {
            return null; // of another version, or damaged: fetched anew
        }
    }

    /// <summary>Begins a model.</summary>
    /// <exception cref="ModelFilesException">The name cannot be a model's.</exception>
    public static CachedModel Create(string folder, string name, ModelManifest manifest)
    {
        ModelNaming.RelativePath(name, manifest.Layout);
        Directory.CreateDirectory(folder);
        AtomicFile.Write(System.IO.Path.Combine(folder, NameName), Encoding.UTF8.GetBytes(name));
        AtomicFile.Write(System.IO.Path.Combine(folder, ManifestName), manifest.Encoded.Span);
        return new CachedModel(folder, name, manifest);
    }

    /// <summary>Chunks on the disk.</summary>
    public ChunkSet Held()
    {
        Refresh();
        lock (_gate)
        {
            return _held.Copy();
        }
    }

    public ValueTask ReadAsync(int chunk, Memory<byte> buffer, CancellationToken cancellationToken) => _files.ReadAsync(chunk, buffer, cancellationToken);

    /// <summary>Writes a chunk that was checked; it counts after the next <see cref="Save"/>.</summary>
    public async ValueTask WriteAsync(int chunk, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _files.WriteAsync(chunk, bytes, cancellationToken);
        lock (_gate)
        {
            _unsaved.Add(chunk);
        }
    }

    /// <summary>Flushes what was written and records it.</summary>
    public void Save()
    {
        ChunkSet written;
        lock (_gate)
        {
            if (_unsaved.Count == 0)
            {
                return;
            }

            written = _unsaved;
            _unsaved = new ChunkSet(Manifest.ChunkCount);
        }

        _files.Flush();
        lock (_gate)
        {
            foreach (var chunk in written.Chunks())
            {
                _held.Add(chunk);
            }

            AtomicFile.Write(RecordPath, ChunkRecord.Write(Manifest, _held));
            _recordTime = File.GetLastWriteTimeUtc(RecordPath);
        }
    }

    /// <summary>Remembers that the whole is what it should be.</summary>
    public void MarkVerified() => AtomicFile.Write(System.IO.Path.Combine(_folder, VerifiedName), Encoding.ASCII.GetBytes(Manifest.WeightsHash));

    public void Dispose() => _files.Dispose();

    private string RecordPath => System.IO.Path.Combine(_folder, RecordName);

    /// <summary>Takes note of what another process has fetched since.</summary>
    private void Refresh()
    {
        lock (_gate)
        {
            var time = File.GetLastWriteTimeUtc(RecordPath);
            if (time == _recordTime)
            {
                return;
            }

            _recordTime = time;
            var contents = AtomicFile.TryRead(RecordPath, ManifestLimits.MaxBytes);
            _held = (contents is null ? null : ChunkRecord.TryRead(contents, Manifest)) ?? new ChunkSet(Manifest.ChunkCount);
        }
    }
}
