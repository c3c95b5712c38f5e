using System.Text.Json;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Testing.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>Trained models in full: greedy answers decoded token by token.</summary>
public sealed class GreedyModelTests
{
    /// <summary>Folders with prompts and margins in golden.json, and no tensors.</summary>
    public static TheoryData<string, ResidualPrecision> Chats() => GoldenModel.InBothClasses(GoldenModel.Folders(folder =>
        File.Exists(Path.Combine(folder, "golden.json")) && !File.Exists(Path.Combine(folder, "golden.safetensors"))));

    /// <summary>Models beside golden_greedy.json: the folder itself and each .gguf file in it.</summary>
    public static TheoryData<string, ResidualPrecision> Stories() => GoldenModel.InBothClasses(
        GoldenModel.Folders(folder => File.Exists(Path.Combine(folder, "golden_greedy.json")))
            .SelectMany(folder => Directory.EnumerateFiles(TestData.PathOf(folder), "*.gguf")
                .Select(file => Path.GetRelativePath(TestData.Root, file)).Prepend(folder)));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Chats))]
    public void Decode_EveryAnswer_IsTheReferencesWhereItIsSure(string relative, ResidualPrecision precision)
    {
        var folder = TestData.PathOf(relative);
        using var model = GoldenModel.OpenOrSkip(folder);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var chain = ShardChain.Load(model, backend, new ShardChainOptions { Residual = precision, KvTokens = 512 });
        foreach (var item in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var session = chain.Run(item.Ints("input_ids"));
            var (agreed, sure) = Greedy.Decode(chain, session, item, GoldenModel.Tolerance(precision));
            var length = item.GetProperty("greedy_ids").GetArrayLength();
            GoldenModel.Report($"{agreed} of {length} agree, {sure} were sure: {item.GetProperty("greedy_text")}");
            Assert.True(agreed >= sure, $"id {agreed} differs; {sure} were sure");
            chain.Close(session);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Stories))]
    public void Decode_Story_IsTheReferencesToTheEnd(string relative, ResidualPrecision precision)
    {
        var path = TestData.PathOf(relative);
        using var model = ModelSource.Open(path);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Directory.Exists(path) ? path : Path.GetDirectoryName(path)!, "golden_greedy.json")));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var chain = ShardChain.Load(model, backend, new ShardChainOptions { Residual = precision, KvTokens = 512 });
        var ids = golden.RootElement.Ints("greedy_ids");
        var session = chain.Run(ids[..1]);
        var agreed = 1;
        while (agreed < ids.Length && GoldenModel.ArgMax(session.Logits[agreed - 1]) == ids[agreed])
        {
            session.Tokens.Add(ids[agreed++]);
            chain.Step((session, 1));
        }

        GoldenModel.Report($"{agreed} of {ids.Length} ids agree");
        if (precision == ResidualPrecision.F32)
        {
            Assert.Equal(ids.Length, agreed);
        }

        // Its own text before the first difference, if there is one, in the bf16 class.
        Assert.True(agreed > 10, $"only {agreed} ids agree");
        foreach (var step in (int[])[0, 10])
        {
            var error = GoldenModel.RelativeError(golden.RootElement.Floats($"logits_step{step}"), session.Logits[step]);
            GoldenModel.Report($"logits of step {step}: error {error:E2} of the largest");
            Assert.InRange(error, 0, GoldenModel.Tolerance(precision));
        }
    }
}
