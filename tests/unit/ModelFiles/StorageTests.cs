using Parallax.ModelFiles;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Manifests;
using Parallax.ModelFiles.Storage;
using Parallax.Runtime.Models;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.ModelFiles;

/// <summary>What lies on the disk, and what is believed of it.</summary>
public sealed class StorageTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    [Theory]
    [InlineData("llama-7b", ModelLayout.Folder)]
    [InlineData("owner/name", ModelLayout.Folder)]
    [InlineData("SmolLM2-135M-Instruct.Q4_1", ModelLayout.Gguf)]
    [InlineData("a name with spaces", ModelLayout.Gguf)]
    public void RelativePath_AnyName_IsTheNameThatOpeningGives(string name, ModelLayout layout)
    {
        var path = Path.Combine(_folder.Path, ModelNaming.RelativePath(name, layout));
        var model = new TinyModel { Architecture = "llama" };
        if (layout == ModelLayout.Gguf)
        {
            File.WriteAllBytes(path, model.Gguf().Build());
        }
        else
        {
            Directory.CreateDirectory(path);
            File.WriteAllText(Path.Combine(path, "config.json"), model.Config().ToJsonString());
            File.WriteAllBytes(Path.Combine(path, "model.safetensors"), model.Safetensors().Build());
        }

        using var opened = ModelSource.Open(path);
        Assert.Equal(name, opened.DisplayName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../up")]
    [InlineData("a/../b")]
    [InlineData("a/b/c")]
    [InlineData("/etc/passwd")]
    [InlineData("a\\b")]
    [InlineData("c:x")]
    [InlineData("line\nbreak")]
    [InlineData(".hidden")]
    [InlineData("a/b--c")]
    [InlineData("trailing.")]
    public void RelativePath_Dangerous_IsRefused(string name) =>
        Assert.Equal(ModelFilesProblem.Name, Assert.Throws<ModelFilesException>(() => ModelNaming.RelativePath(name, ModelLayout.Folder)).Problem);

    [Fact]
    public async Task CachedModel_ReopenedAfterSave_HasWhatWasSaved()
    {
        var (manifest, chunks) = Source();
        using (var first = CachedModel.Create(CacheFolder, "tiny", manifest))
        {
            Assert.Equal(0, first.Held().Count);
            await first.WriteAsync(1, chunks[1], CancellationToken.None);
            Assert.Equal(0, first.Held().Count); // not on record yet
            first.Save();
            await first.WriteAsync(0, chunks[0], CancellationToken.None); // and never saved
            Assert.Equal([1], first.Held().Chunks());
        }

        using var second = CachedModel.TryOpen(CacheFolder, manifest.WeightsHash)!;
        Assert.Equal([1], second.Held().Chunks());
        Assert.Equal(manifest.Hash, second.Manifest.Hash);
        var bytes = new byte[manifest.LengthOf(1)];
        await second.ReadAsync(1, bytes, CancellationToken.None);
        Assert.Equal(chunks[1], bytes);
    }

    [Fact]
    public async Task CachedModel_RecordDamagedOrFileCut_HasNothing()
    {
        var (manifest, chunks) = Source();
        var record = Path.Combine(CacheFolder, "chunks");
        using (var first = CachedModel.Create(CacheFolder, "tiny", manifest))
        {
            await first.WriteAsync(0, chunks[0], CancellationToken.None);
            first.Save();
        }

        var saved = File.ReadAllBytes(record);
        saved[33] ^= 2;
        File.WriteAllBytes(record, saved);
        using (var damaged = CachedModel.TryOpen(CacheFolder, manifest.WeightsHash)!)
        {
            Assert.Equal(0, damaged.Held().Count);
            await damaged.WriteAsync(0, chunks[0], CancellationToken.None);
            damaged.Save();
            Assert.Equal(1, damaged.Held().Count);
            using var file = new FileStream(damaged.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(100);
        }

        using var cut = CachedModel.TryOpen(CacheFolder, manifest.WeightsHash)!;
        Assert.Equal(0, cut.Held().Count);
        Assert.Equal(manifest.TotalBytes, new FileInfo(cut.Path).Length);
    }

    [Fact]
    public async Task CachedModel_AnotherProcessSaves_IsNoticed()
    {
        var (manifest, chunks) = Source();
        using var writer = CachedModel.Create(CacheFolder, "tiny", manifest);
        using var reader = CachedModel.TryOpen(CacheFolder, manifest.WeightsHash)!;
        Assert.Equal(0, reader.Held().Count);

        await writer.WriteAsync(0, chunks[0], CancellationToken.None);
        writer.Save();

        Assert.Equal([0], reader.Held().Chunks());
    }

    [Fact]
    public void ManifestCache_FileChanged_IsNotBelieved()
    {
        var (manifest, _) = Source();
        var path = Path.Combine(_folder.Path, "tiny.gguf");
        var cache = new ManifestCache(Path.Combine(_folder.Path, "cache"));
        Assert.Null(cache.TryRead(path, [path]));
        cache.Write(path, [path], manifest);
        Assert.Equal(manifest.Hash, cache.TryRead(path, [path])!.Hash);

        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(1));
        Assert.Null(cache.TryRead(path, [path]));
    }

    [Fact]
    public void Choose_NamedOrAgreed_IsTaken()
    {
        Assert.Equal("x", ManifestChoice.Choose("m", "x", [("a", "y"), ("b", "x")]));
        Assert.Equal("y", ManifestChoice.Choose("m", null, [("a", "y"), ("b", "y")]));
        Assert.Equal(ModelFilesProblem.Disagreement, Assert.Throws<ModelFilesException>(() => ManifestChoice.Choose("m", null, [("a", "y"), ("b", "x"), ("c", "y")])).Problem);
        Assert.Equal(ModelFilesProblem.NoPeer, Assert.Throws<ModelFilesException>(() => ManifestChoice.Choose("m", "z", [("a", "y")])).Problem);
        Assert.Equal(ModelFilesProblem.NoPeer, Assert.Throws<ModelFilesException>(() => ManifestChoice.Choose("m", null, [])).Problem);
    }

    public void Dispose() => _folder.Dispose();

    private string CacheFolder => Path.Combine(_folder.Path, "fetched");

    /// <summary>A model of a few chunks.</summary>
    private (ModelManifest Manifest, byte[][] Chunks) Source()
    {
        var path = _folder.Write("tiny.gguf", new TinyModel { Architecture = "llama", Hidden = 128, Intermediate = 512, Layers = 4, Vocabulary = 2000 }.Gguf().Build());
        using var model = ModelSource.Open(path);
        var manifest = ManifestBuilder.Build(model, new string('d', 64), CancellationToken.None);
        Assert.InRange(manifest.ChunkCount, 3, 20);
        return (manifest, [.. File.ReadAllBytes(path).Chunk(manifest.ChunkBytes)]);
    }
}
