using System.Text.Json.Nodes;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing.Blocks;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.Blocks;

/// <summary>Blocks carried from one shard to another, on another cut and another instruction set: every bit stays.</summary>
public sealed class BlockTransferTests
{
    public static TheoryData<string, int?, ResidualPrecision> Models() => new()
    {
        { "llama", null, ResidualPrecision.BF16 },
        { "llama", null, ResidualPrecision.F32 },
        { "qwen3", null, ResidualPrecision.BF16 },
        { "qwen3_moe", null, ResidualPrecision.BF16 },
        { "mistral", 21, ResidualPrecision.BF16 },
        { "mistral", 21, ResidualPrecision.F32 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Transfer_OtherCutAndWidth_GivesEqualBits(string architecture, int? window, ResidualPrecision precision)
    {
        var tiny = new TinyModel { Architecture = architecture, Layers = 4, Vocabulary = 97 };
        var config = tiny.Config();
        if (window is { } size)
        {
            config["sliding_window"] = JsonValue.Create(size);
        }

        using var folder = new ModelFolder();
        tiny.WriteHub(folder, config);
        using var model = ModelSource.Open(folder.Path);
        using var best = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var scalar = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = VectorWidth.Scalar });
        var tokens = Enumerable.Range(0, 110).Select(i => (i * 13) % 97).ToArray();
        Assert.Null(BlockTransferCheck.Difference(model, best, [], scalar, [2], precision, tokens));
        Assert.Null(BlockTransferCheck.Difference(model, scalar, [1, 3], best, [2], precision, tokens));
    }
}
