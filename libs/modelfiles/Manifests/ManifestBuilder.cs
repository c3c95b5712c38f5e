using System.Collections.Immutable;
using System.Security.Cryptography;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.ModelFiles.Manifests;

/// <summary>Makes the manifest of a model that lies on this machine whole. Reads every byte of it once.</summary>
internal static class ManifestBuilder
{
    /// <summary>
    /// Tensors that no layer names are counted to what opening reads up to this size (a GGUF file's rope_freqs is such
    /// a one); larger ones belong to the whole model only.
    /// </summary>
    private const long MaxUnnamedTensor = 1 << 20;

    /// <summary>The model's files: their names in the manifest, and where they are.</summary>
    public static ImmutableArray<(string Name, string Path)> FilesOf(ModelSource model)
    {
        if (model.Metadata is not null)
        {
            return [(FileNames.Gguf, model.Path)];
        }

        var weights = TableOf(model).Tensors.Select(static tensor => tensor.FilePath).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var descriptions = FileNames.Descriptions.Select(name => Path.Combine(model.Path, name)).Where(File.Exists);
        if (File.Exists(Path.Combine(model.Path, "model.safetensors")))
        {
            // With one file of weights the index is not looked at, and may say anything.
            descriptions = descriptions.Where(static path => !path.EndsWith(".index.json", StringComparison.Ordinal));
        }

        return [.. descriptions.Concat(weights).Select(static path => (Path.GetFileName(path), path))];
    }

    /// <summary>Hashes the files.</summary>
    /// <param name="model">The model.</param>
    /// <param name="weightsHash">Its weights hash.</param>
    /// <param name="cancellationToken">Gives up between two chunks.</param>
    /// <exception cref="ModelFilesException">A file has a name that cannot be passed on, or is too large.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ModelManifest Build(ModelSource model, string weightsHash, CancellationToken cancellationToken)
    {
        var local = FilesOf(model);
        var lengths = local.Select(static file => LengthOf(file.Path)).ToArray();
        var chunkBytes = ManifestLimits.ChunkBytesFor(lengths.Sum());
        var body = new ManifestBody
        {
            Version = 1,
            WeightsHash = weightsHash,
            Layout = model.Metadata is null ? ManifestLayout.Folder : ManifestLayout.Gguf,
            LayerCount = model.Spec.Layers.Length,
            ChunkBytes = chunkBytes,
        };
        for (var i = 0; i < local.Length; i++)
        {
            body.Files.Add(new ManifestFile { Name = local[i].Name, Length = lengths[i], ChunkHashes = HashChunks(local[i].Path, lengths[i], chunkBytes, cancellationToken) });
        }

        AddSections(body, model, local, lengths);
        return ManifestReader.Read(body.ToByteArray(), weightsHash);
    }

    private static void AddSections(ManifestBody body, ModelSource model, ImmutableArray<(string Name, string Path)> local, long[] lengths)
    {
        var files = local.Select(static (file, index) => (file.Path, index)).ToDictionary(static file => file.Path, static file => file.index, StringComparer.Ordinal);
        var table = TableOf(model);
        var spec = model.Spec;
        var named = spec.TensorRefs().Select(static reference => reference.Name).ToHashSet(StringComparer.Ordinal);
        var unnamed = table.Tensors.Where(tensor => !named.Contains(tensor.Name) && tensor.ByteLength is > 0 and <= MaxUnnamedTensor);

        // Everything before a file's first tensor is its header; a file without tensors is read whole.
        var starts = table.Tensors.Where(static tensor => tensor.ByteLength > 0).GroupBy(static tensor => tensor.FilePath, StringComparer.Ordinal)
            .ToDictionary(static group => group.Key, static group => group.Min(static tensor => tensor.Offset), StringComparer.Ordinal);
        for (var i = 0; i < local.Length; i++)
        {
            body.Always.Add(new FileRange { File = i, Start = 0, End = starts.GetValueOrDefault(local[i].Path, lengths[i]) });
        }

        body.Always.AddRange(Ranges(unnamed));
        body.Embedding.AddRange(Ranges(Tensors([spec.Embedding])));
        body.Head.AddRange(Ranges(Tensors([spec.FinalNorm, spec.Head])));
        foreach (var layer in spec.Layers)
        {
            var ranges = new LayerFiles();
            ranges.Ranges.AddRange(Ranges(Tensors(layer.TensorRefs())));
            body.Layers.Add(ranges);
        }

        IEnumerable<StoredTensor> Tensors(IEnumerable<TensorRef> references) => references
            .Select(static reference => reference.Name)
            .Distinct(StringComparer.Ordinal)
            .Select(name => table.TryGet(name, out var tensor) ? tensor : throw new ModelFormatException(model.Path, "the tensor is missing", name));

        IEnumerable<FileRange> Ranges(IEnumerable<StoredTensor> tensors) => Merge(tensors
            .Where(static tensor => tensor.ByteLength > 0)
            .Select(tensor => new FileSpan(files[tensor.FilePath], tensor.Offset, tensor.Offset + tensor.ByteLength)))
            .Select(static span => new FileRange { File = span.File, Start = span.Start, End = span.End });
    }

    /// <summary>Joins spans that touch or lie within an alignment's gap of each other.</summary>
    internal static IEnumerable<FileSpan> Merge(IEnumerable<FileSpan> spans)
    {
        const long gap = 4096;
        FileSpan? open = null;
        foreach (var span in spans.OrderBy(static span => span.File).ThenBy(static span => span.Start))
        {
            if (open is { } last && last.File == span.File && span.Start <= last.End + gap)
            {
                open = last with { End = Math.Max(last.End, span.End) };
                continue;
            }

            if (open is { } done)
            {
                yield return done;
            }

            open = span;
        }

        if (open is { } end)
        {
            yield return end;
        }
    }

    private static TensorTable TableOf(ModelSource model) => model.Weights switch
    {
        SafetensorsFile file => file.Table,
        SafetensorsFolder folder => folder.Table,
        GgufFile gguf => gguf.Table,
        _ => throw new InvalidOperationException($"unknown weight source {model.Weights.GetType().Name}"),
    };

    private static long LengthOf(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return RandomAccess.GetLength(handle);
    }

    private static ByteString HashChunks(string path, long length, int chunkBytes, CancellationToken cancellationToken)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var hashes = new byte[checked((int)(((length + chunkBytes - 1) / chunkBytes) * SHA256.HashSizeInBytes))];
        var buffer = new byte[Math.Min(chunkBytes, length)];
        var target = hashes.AsSpan();
        for (var offset = 0L; offset < length; offset += chunkBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var chunk = buffer.AsSpan(0, (int)Math.Min(chunkBytes, length - offset));
            for (var filled = 0; filled < chunk.Length;)
            {
                var read = RandomAccess.Read(handle, chunk[filled..], offset + filled);
                filled += read > 0 ? read : throw new IOException($"{path} became shorter while it was read.");
            }

            SHA256.HashData(chunk, target);
            target = target[SHA256.HashSizeInBytes..];
        }

        return UnsafeByteOperations.UnsafeWrap(hashes);
    }
}
