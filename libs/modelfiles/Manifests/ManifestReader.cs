using System.Collections.Immutable;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Parallax.Contracts.V1;

namespace Parallax.ModelFiles.Manifests;

/// <summary>Reads a manifest from bytes that nobody vouches for: every count, name and extent is checked.</summary>
internal static class ManifestReader
{
    /// <exception cref="ModelFilesException">It is no manifest of that model, or exceeds a limit; says which.</exception>
    public static ModelManifest Read(ReadOnlyMemory<byte> encoded, string weightsHash)
    {
        Require(encoded.Length <= ManifestLimits.MaxBytes, $"it has {encoded.Length} bytes, at most {ManifestLimits.MaxBytes} are read");
        var body = Parse(encoded);
        Require(body.Version == 1, $"its version is {body.Version}, this program reads version 1");
        Require(body.WeightsHash == weightsHash, "it describes another model");
        var layout = body.Layout switch
        {
            ManifestLayout.Folder => ModelLayout.Folder,
            ManifestLayout.Gguf => ModelLayout.Gguf,
            _ => throw Malformed($"its layout {(int)body.Layout} is unknown"),
        };
        Require(body.ChunkBytes is ManifestLimits.SmallChunk or ManifestLimits.LargeChunk, $"chunks of {body.ChunkBytes} bytes are not used");
        Require(body.LayerCount is >= 1 and <= ManifestLimits.MaxLayers && body.Layers.Count == body.LayerCount, $"it lists {body.Layers.Count} of {body.LayerCount} layers");
        var ranges = (long)body.Always.Count + body.Embedding.Count + body.Head.Count + body.Layers.Sum(static layer => (long)layer.Ranges.Count);
        Require(ranges <= ManifestLimits.MaxRanges, $"it lists {ranges} ranges of bytes, at most {ManifestLimits.MaxRanges} are read");

        var files = ReadFiles(body, layout);
        var sections = new ManifestSections(
            Spans(body.Always, files), Spans(body.Embedding, files), Spans(body.Head, files), [.. body.Layers.Select(layer => Spans(layer.Ranges, files))]);
        return new ModelManifest(encoded, body.WeightsHash, layout, body.ChunkBytes, files, [.. body.Files.Select(static file => file.ChunkHashes.Memory)], sections);
    }

    private static ManifestBody Parse(ReadOnlyMemory<byte> encoded)
    {
        try
        {
            RefuseCrowds(encoded);
            return ManifestBody.Parser.WithDiscardUnknownFields(true).ParseFrom(encoded.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelFilesException(ModelFilesProblem.Malformed, $"The model's manifest cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// Counts before anything is parsed: an empty message has two bytes on the wire and some fifty in memory.
    /// </summary>
    private static void RefuseCrowds(ReadOnlyMemory<byte> encoded)
    {
        using var input = new CodedInputStream(encoded.ToArray());
        var files = 0;
        var sections = 0L;
        uint tag;
        while ((tag = input.ReadTag()) != 0)
        {
            var before = input.Position;
            input.SkipLastField();
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case ManifestBody.FilesFieldNumber:
                    files++;
                    break;
                case ManifestBody.AlwaysFieldNumber or ManifestBody.EmbeddingFieldNumber or ManifestBody.HeadFieldNumber or ManifestBody.LayersFieldNumber:
                    sections += 1 + input.Position - before;
                    break;
            }
        }

        Require(files <= ManifestLimits.MaxFiles, $"it lists {files} files, at most {ManifestLimits.MaxFiles} are read");
        Require(sections <= ManifestLimits.MaxSectionBytes, $"its ranges of bytes take {sections} bytes, at most {ManifestLimits.MaxSectionBytes} are read");
    }

    private static ImmutableArray<ModelFile> ReadFiles(ManifestBody body, ModelLayout layout)
    {
        Require(body.Files.Count is >= 1 and <= ManifestLimits.MaxFiles, $"it lists {body.Files.Count} files, 1 to {ManifestLimits.MaxFiles} are read");
        var files = ImmutableArray.CreateBuilder<ModelFile>(body.Files.Count);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var chunks = 0L;
        foreach (var file in body.Files)
        {
            Require(FileNames.IsAllowed(file.Name, layout), $"'{Printable(file.Name)}' is no name that a model's file may have");
            Require(names.Add(file.Name), $"it lists '{file.Name}' twice");
            Require(file.Length >= 1, $"'{file.Name}' has {file.Length} bytes");
            var count = ((file.Length - 1) / body.ChunkBytes) + 1; // cannot overflow
            Require(chunks + count <= ManifestLimits.MaxChunks, $"it lists more than {ManifestLimits.MaxChunks} chunks");
            Require(file.ChunkHashes.Length == count * SHA256.HashSizeInBytes, $"'{file.Name}' has {file.ChunkHashes.Length} bytes of hashes for {count} chunks");
            files.Add(new ModelFile(file.Name, file.Length, (int)chunks, (int)count));
            chunks += count;
        }

        Require(layout == ModelLayout.Folder || files.Count == 1, "it lists several GGUF files");
        return files.MoveToImmutable();
    }

    private static ImmutableArray<FileSpan> Spans(RepeatedField<FileRange> ranges, ImmutableArray<ModelFile> files)
    {
        foreach (var range in ranges)
        {
            Require(
                range.File >= 0 && range.File < files.Length && range.Start >= 0 && range.Start < range.End && range.End <= files[range.File].Length,
                $"bytes [{range.Start},{range.End}) of file {range.File} are not in the model");
        }

        return [.. ranges.Select(static range => new FileSpan(range.File, range.Start, range.End))];
    }

    private static string Printable(string text) =>
        string.Concat(text.Take(60).Select(static c => char.IsControl(c) ? '?' : c));

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw Malformed(problem);
        }
    }

    private static ModelFilesException Malformed(string problem) =>
        new(ModelFilesProblem.Malformed, $"The model's manifest cannot be used: {problem}.");
}
