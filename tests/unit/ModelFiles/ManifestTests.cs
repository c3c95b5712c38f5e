using System.Security.Cryptography;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.ModelFiles;
using Parallax.ModelFiles.Manifests;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.ModelFiles;

/// <summary>What a manifest says of a model's files, and what is refused of one that comes over the wire.</summary>
public sealed class ManifestTests : IDisposable
{
    private static readonly string Hash = new('a', 64);
    private readonly ModelFolder _folder = new();

    /// <summary>Layers of about 3 MB, so that chunks of 1 MiB tell them apart.</summary>
    private static TinyModel Model(bool tied) => new()
    {
        Architecture = "llama",
        Hidden = 256,
        Intermediate = 768,
        Heads = 4,
        KvHeads = 4,
        HeadDim = 64,
        Layers = 5,
        Vocabulary = 3000,
        Tied = tied,
    };

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void ChunksOf_AnyRange_CoverItsTensorsAndLittleElse(bool gguf, bool tied)
    {
        using var model = Open(gguf, Model(tied));
        var manifest = ManifestBuilder.Build(model, Hash, CancellationToken.None);
        for (var start = 0; start < 5; start++)
        {
            for (var end = start + 1; end <= 5; end++)
            {
                var chunks = manifest.ChunksOf(new LayerRange(start, end));
                var tensors = model.Spec.Layers.AsSpan(start, end - start).ToArray().SelectMany(static layer => layer.TensorRefs())
                    .Concat(start == 0 ? [model.Spec.Embedding] : [])
                    .Concat(end == 5 ? [model.Spec.FinalNorm, model.Spec.Head] : [])
                    .Select(static tensor => tensor.Name).ToHashSet();
                var bytes = 0L;
                foreach (var tensor in Tensors(model).Where(tensor => tensors.Contains(tensor.Name)))
                {
                    bytes += tensor.ByteLength;
                    var file = Assert.Single(manifest.Files, file => file.Name == (gguf ? "model.gguf" : Path.GetFileName(tensor.FilePath)));
                    for (var position = tensor.Offset; position < tensor.Offset + tensor.ByteLength; position++)
                    {
                        Assert.True(chunks.Contains(file.FirstChunk + (int)(position / manifest.ChunkBytes)), $"{tensor.Name} at {position}");
                        position += 1023; // every KiB
                    }
                }

                // Tensors begin and end in the middle of chunks; they lie in at most a few runs.
                Assert.InRange(manifest.LengthOf(chunks), bytes, bytes + (10L * manifest.ChunkBytes));
            }
        }

        Assert.True(manifest.ChunksOf(null).IsFull);
        Assert.True(manifest.ChunksOf(new LayerRange(0, 5)).IsFull);
        Assert.True(manifest.ChunksOf(new LayerRange(1, 2)).Count < manifest.ChunkCount / 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => manifest.ChunksOf(new LayerRange(3, 6)));
    }

    [Fact]
    public void Build_AnyFile_HashesEveryChunk()
    {
        using var model = Open(gguf: false, Model(tied: false));
        var manifest = ManifestBuilder.Build(model, Hash, CancellationToken.None);

        Assert.Equal(["config.json", "model.safetensors"], manifest.Files.Select(static file => file.Name));
        var weights = File.ReadAllBytes(Path.Combine(_folder.Path, "model.safetensors"));
        var file = manifest.Files[1];
        Assert.Equal(weights.Length, file.Length);
        for (var i = 0; i < file.ChunkCount; i++)
        {
            var chunk = file.FirstChunk + i;
            var bytes = weights.AsSpan((int)manifest.OffsetOf(chunk), manifest.LengthOf(chunk)).ToArray();
            Assert.True(manifest.IsChunk(chunk, bytes));
            bytes[^1] ^= 1;
            Assert.False(manifest.IsChunk(chunk, bytes));
        }
    }

    [Fact]
    public void Build_EqualFilesElsewhere_IsTheSame()
    {
        using var here = Open(gguf: true, Model(tied: true));
        File.Copy(here.Path, Path.Combine(_folder.Path, "another name.gguf"));
        using var there = ModelSource.Open(Path.Combine(_folder.Path, "another name.gguf"));

        Assert.Equal(ManifestBuilder.Build(here, Hash, CancellationToken.None).Hash, ManifestBuilder.Build(there, Hash, CancellationToken.None).Hash);
    }

    [Fact]
    public void LayersIn_SomeChunks_AreTheRunsThatCanBeLoaded()
    {
        using var model = Open(gguf: true, Model(tied: false));
        var manifest = ManifestBuilder.Build(model, Hash, CancellationToken.None);
        var held = manifest.ChunksOf(new LayerRange(0, 2));
        Assert.Equal(new LayerRange(0, 2), Assert.Single(manifest.LayersIn(held)));
        foreach (var chunk in manifest.ChunksOf(new LayerRange(4, 5)).Chunks())
        {
            held.Add(chunk);
        }

        Assert.Equal([new LayerRange(0, 2), new LayerRange(4, 5)], manifest.LayersIn(held));
        Assert.Empty(manifest.LayersIn(new ChunkSet(manifest.ChunkCount)));
    }

    [Fact]
    public void Read_Untouched_IsTheSame()
    {
        var manifest = ManifestReader.Read(Body().ToByteArray(), Hash);

        Assert.Equal((2, 1 << 20, 5L + (3 << 20), 5), (manifest.LayerCount, manifest.ChunkBytes, manifest.TotalBytes, manifest.ChunkCount));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Body().ToByteArray())), manifest.Hash);
        Assert.Equal([0, 1, 1, 1, 1], Enumerable.Range(0, 5).Select(manifest.FileOf));
    }

    public static TheoryData<string> Lies =>
    [
        "version", "model", "layout", "chunks of 3 bytes", "no files", "traversal", "absolute", "backslash", "hidden", "device", "executable", "twice",
        "empty file", "absurd length", "hash missing", "hash too many", "range behind", "range negative", "range empty", "range of no file", "layers", "no layers",
        "head behind", "two gguf", "gguf name",
    ];

    [Theory]
    [MemberData(nameof(Lies))]
    public void Read_Lie_IsRefused(string lie)
    {
        var body = Body();
        switch (lie)
        {
            case "version": body.Version = 2; break;
            case "model": body.WeightsHash = new string('b', 64); break;
            case "layout": body.Layout = (ManifestLayout)7; break;
            case "chunks of 3 bytes": body.ChunkBytes = 3; break;
            case "no files": body.Files.Clear(); break;
            case "traversal": body.Files[0].Name = "../config.json"; break;
            case "absolute": body.Files[0].Name = "/etc/config.json"; break;
            case "backslash": body.Files[0].Name = "..\\config.json"; break;
            case "hidden": body.Files[0].Name = ".config.json"; break;
            case "device": body.Files[0].Name = "con.json"; break;
            case "executable": body.Files[0].Name = "config.exe"; break;
            case "twice": body.Files[0].Name = "MODEL.safetensors"; break;
            case "empty file": body.Files[0].Length = 0; break;
            case "absurd length": body.Files[0].Length = long.MaxValue; break;
            case "hash missing": body.Files[1].ChunkHashes = ByteString.CopyFrom(new byte[3 * 32]); break;
            case "hash too many": body.Files[1].ChunkHashes = ByteString.CopyFrom(new byte[5 * 32]); break;
            case "range behind": body.Layers[1].Ranges[0].End = (3 << 20) + 6; break;
            case "range negative": body.Always[0].Start = -1; break;
            case "range empty": body.Embedding[0].End = body.Embedding[0].Start; break;
            case "range of no file": body.Embedding[0].File = 2; break;
            case "layers": body.LayerCount = 3; break;
            case "no layers": body.LayerCount = 0; body.Layers.Clear(); break;
            case "head behind": body.Head[0].End = long.MaxValue; break;
            case "two gguf": body.Layout = ManifestLayout.Gguf; body.Files[0].Name = "model.gguf"; break;
            case "gguf name": body.Layout = ManifestLayout.Gguf; body.Files.RemoveAt(0); break;
        }

        Assert.Equal(ModelFilesProblem.Malformed, Assert.Throws<ModelFilesException>(() => ManifestReader.Read(body.ToByteArray(), Hash)).Problem);
    }

    [Fact]
    public void Read_AnyBytes_AreRefusedAndNothingElse()
    {
        var good = Body().ToByteArray();
        var random = new Random(5);
        for (var i = 0; i < 3000; i++)
        {
            var bytes = good.AsSpan(0, random.Next(good.Length + 1)).ToArray();
            for (var change = random.Next(4); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                var manifest = ManifestReader.Read(bytes, Hash);
                Assert.InRange(manifest.ChunksOf(null).Count, 1, ManifestLimits.MaxChunks);
            }
            catch (ModelFilesException e)
            {
                Assert.Equal(ModelFilesProblem.Malformed, e.Problem);
            }
        }
    }

    [Theory]
    [InlineData(ManifestBody.FilesFieldNumber)]
    [InlineData(ManifestBody.AlwaysFieldNumber)]
    [InlineData(ManifestBody.LayersFieldNumber)]
    [InlineData(15)]
    public void Read_MillionsOfEmptyEntries_AreRefusedBeforeTheyTakeMemory(int field)
    {
        var crowd = new byte[32 << 20]; // tag and length 0, again and again
        for (var i = 0; i < crowd.Length; i += 2)
        {
            crowd[i] = (byte)((field << 3) | 2);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelFilesException>(() => ManifestReader.Read(crowd, Hash));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 80 << 20);
    }

    [Fact]
    public void Read_TooLarge_IsRefused() =>
        Assert.Equal(ModelFilesProblem.Malformed, Assert.Throws<ModelFilesException>(() => ManifestReader.Read(new byte[ManifestLimits.MaxBytes + 1], Hash)).Problem);

    public void Dispose() => _folder.Dispose();

    private static ManifestBody Body()
    {
        var body = new ManifestBody { Version = 1, WeightsHash = Hash, Layout = ManifestLayout.Folder, LayerCount = 2, ChunkBytes = 1 << 20 };
        body.Files.Add(new ManifestFile { Name = "config.json", Length = 4, ChunkHashes = ByteString.CopyFrom(new byte[32]) });
        body.Files.Add(new ManifestFile { Name = "model.safetensors", Length = (3 << 20) + 1, ChunkHashes = ByteString.CopyFrom(new byte[4 * 32]) });
        body.Always.Add(new FileRange { File = 0, Start = 0, End = 4 });
        body.Embedding.Add(new FileRange { File = 1, Start = 10, End = 20 });
        body.Head.Add(new FileRange { File = 1, Start = 3 << 20, End = (3 << 20) + 1 });
        for (var layer = 0; layer < 2; layer++)
        {
            var files = new LayerFiles();
            files.Ranges.Add(new FileRange { File = 1, Start = (layer + 1) << 20, End = (layer + 2) << 20 });
            body.Layers.Add(files);
        }

        return body;
    }

    private static IReadOnlyCollection<StoredTensor> Tensors(ModelSource model) => model.Weights switch
    {
        GgufFile gguf => gguf.Tensors,
        SafetensorsFile file => file.Tensors,
        _ => throw new InvalidOperationException(),
    };

    private ModelSource Open(bool gguf, TinyModel model)
    {
        if (gguf)
        {
            return ModelSource.Open(_folder.Write("tiny.gguf", model.Gguf().Build()));
        }

        model.WriteHub(_folder);
        return ModelSource.Open(_folder.Path);
    }
}
