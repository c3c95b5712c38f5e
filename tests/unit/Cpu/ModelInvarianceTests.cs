using System.Text.Json.Nodes;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Execution;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.Cpu;

/// <summary>
/// Whole models of random weights: bitwise independent of what shares a batch, of chunks, of block order, of threads, and
/// of where they are cut; and the comparison finds out what is broken on purpose.
/// </summary>
public sealed class ModelInvarianceTests
{
    private static readonly (string Name, TinyModel Model, int? Window)[] Models =
    [
        ("llama", new TinyModel { Architecture = "llama", Layers = 4, AttentionBias = true, FeedForwardBias = true }, null),
        ("mistral", new TinyModel { Architecture = "mistral", Layers = 3, Heads = 3, KvHeads = 1, HeadDim = 10, Hidden = 44, Intermediate = 70 }, 21),
        ("mistral wide", new TinyModel { Architecture = "mistral", Layers = 2, Heads = 6, KvHeads = 2 }, 70),
        ("qwen2", new TinyModel { Architecture = "qwen2", Layers = 3, Tied = true, HeadDim = 16 }, null),
        ("qwen3", new TinyModel { Architecture = "qwen3", Layers = 3, Heads = 7, KvHeads = 1 }, null),
        ("qwen3_moe", new TinyModel { Architecture = "qwen3_moe", Layers = 3, Experts = 6, ExpertIntermediate = 24, DenseLayers = [1] }, null),
        ("gguf Q4_1", new TinyModel { Architecture = "llama", Layers = 3, Hidden = 64, Intermediate = 96, HeadDim = 16, Format = TensorFormat.Q4_1 }, null),
        ("gguf Q8_0 experts", new TinyModel { Architecture = "qwen3_moe", Layers = 2, Hidden = 32, HeadDim = 8, Format = TensorFormat.Q8_0 }, null),
        ("gguf Q6_K", new TinyModel { Architecture = "qwen3", Layers = 2, Hidden = 256, Intermediate = 256, HeadDim = 64, Format = TensorFormat.Q6_K }, null),
    ];

    public static TheoryData<string, ResidualPrecision> All() =>
        [.. Models.SelectMany(model => Enum.GetValues<ResidualPrecision>().Select(precision => (model.Name, precision)))];

    [Theory]
    [MemberData(nameof(All))]
    public void Forward_AnySchedule_GivesTheBitsOfASessionAlone(string name, ResidualPrecision precision)
    {
        using var opened = new OpenModel(name);
        using var one = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var check = Check(opened.Model, one, precision);
        Assert.Null(check.Chunked(one));
        Assert.Null(check.Crowd(one, seed: 1));
        Assert.Null(check.DecodeRows(one));

        // Undefined numbers in blocks that were never written must not be read.
        Assert.Null(check.Crowd(new PoisonedKvBackend(one), seed: 2));
        foreach (var threads in (int[])[2, 3])
        {
            using var more = CpuBackend.Create(new CpuBackendOptions { Threads = threads });
            Assert.Null(check.Crowd(more, seed: threads + 1));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Forward_EveryVectorWidth_GivesTheSameBits(string name, ResidualPrecision precision)
    {
        using var opened = new OpenModel(name);
        using var scalar = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = VectorWidth.Scalar });
        var check = Check(opened.Model, scalar, precision, 70, 2);
        foreach (var width in Enum.GetValues<VectorWidth>().Where(width => width != VectorWidth.Scalar && CpuBackend.IsSupported(width)))
        {
            using var wide = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = width });
            Assert.Null(check.Crowd(wide, seed: 5));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Forward_EveryCut_GivesTheBitsOfTheWhole(string name, ResidualPrecision precision)
    {
        using var opened = new OpenModel(name);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var check = Check(opened.Model, backend, precision);
        Assert.Null(check.Cut(backend, []));
        Assert.All(Cuts(opened.Model.Spec.Layers.Length), cuts => Assert.Null(check.Cut(backend, cuts)));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen3_moe")]
    [InlineData("gguf Q4_1")]
    public void Forward_RoundedOnlyAtTheShardsEnd_IsFoundOut(string name)
    {
        using var opened = new OpenModel(name);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        static IComputeBackend Wrong(IComputeBackend inner, int layers) => new RoundsAtShardEnd(inner, layers);
        var options = new ShardChainOptions { Decorate = Wrong };

        // The wrong rule agrees with itself where nothing is cut, and nowhere else.
        var wrong = new InvarianceCheck(opened.Model, backend, options, longest: 40, decodes: 3);
        Assert.Null(wrong.Cut(backend, []));
        Assert.All(Cuts(opened.Model.Spec.Layers.Length), cuts => Assert.NotNull(wrong.Cut(backend, cuts)));

        // Where every shard is one layer, only the embedding's rounding is left to be missed.
        var right = Check(opened.Model, backend, ResidualPrecision.BF16, 40, 3);
        Assert.NotNull(right.Cut(backend, [], Wrong));

        // In the f32 class nothing is rounded, so that the wrong rule is the right one.
        var exact = Check(opened.Model, backend, ResidualPrecision.F32, 40, 3);
        Assert.All(Cuts(opened.Model.Spec.Layers.Length), cuts => Assert.Null(exact.Cut(backend, cuts, Wrong)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Forward_ResidualStream_IsRoundedAfterEmbeddingAndEachLayerOrNever(string name, ResidualPrecision precision)
    {
        using var opened = new OpenModel(name);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var watch = new RoundingWatch(backend);
        var layers = opened.Model.Spec.Layers.Length;
        var options = new ShardChainOptions { Residual = precision, Cuts = [.. Enumerable.Range(1, layers - 1)] };
        using var chain = ShardChain.Load(opened.Model, watch, options);
        chain.Run([1, 5, 9, 2]);
        var isBf16 = precision == ResidualPrecision.BF16;
        Assert.Equal([isBf16, .. Enumerable.Repeat(new[] { false, isBf16 }, layers).SelectMany(pair => pair)], watch.Asked);
        foreach (var hidden in chain.Boundaries)
        {
            Assert.Equal(isBf16, hidden.All(value => value == HalfFloats.RoundToBf16(value)));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(17)]
    public void Forward_NeighbourInTheBatchLeaks_IsFoundOut(int rows)
    {
        using var opened = new OpenModel("qwen3");
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var leaking = new LeaksBetweenRows(backend, rows);
        foreach (var precision in Enum.GetValues<ResidualPrecision>())
        {
            var check = Check(opened.Model, backend, precision);
            Assert.NotNull(check.Crowd(leaking, seed: 1));
            Assert.NotNull(check.DecodeRows(leaking));
            Assert.NotNull(check.Chunked(leaking));

            // A backend that leaks always is caught by its own schedules, too, not only beside a sound one.
            var own = Check(opened.Model, leaking, precision);
            Assert.NotNull(own.Crowd(leaking, seed: 1));
        }
    }

    private static InvarianceCheck Check(
        ModelSource model, IComputeBackend backend, ResidualPrecision precision, int longest = 90, int decodes = 9)
    {
        // Contexts must be longer than a window and a chunk of attention, and large models need not run long.
        var length = model.Spec.Layers[0].Attention.Window > 64 ? 2 * longest : model.Spec.HiddenSize < 256 ? longest : longest / 3;
        return new InvarianceCheck(model, backend, new ShardChainOptions { Residual = precision }, length, decodes);
    }

    /// <summary>Every way to cut so many layers.</summary>
    private static IEnumerable<int[]> Cuts(int layers) =>
        Enumerable.Range(1, (1 << (layers - 1)) - 1)
            .Select(mask => Enumerable.Range(1, layers - 1).Where(layer => ((mask >> (layer - 1)) & 1) != 0).ToArray());

    /// <summary>Which additions to the residual stream were to be rounded, the embedding first.</summary>
    private sealed class RoundingWatch(IComputeBackend inner) : DelegatingBackend(inner)
    {
        public List<bool> Asked { get; } = [];

        public override void Embed(DeviceMatrix table, ReadOnlySpan<int> ids, DeviceTensor output, bool round)
        {
            Asked.Add(round);
            Inner.Embed(table, ids, output, round);
        }

        public override void LinearAdd(DeviceTensor x, DeviceMatrix matrix, DeviceVector? bias, DeviceTensor residual, bool round)
        {
            Asked.Add(round);
            Inner.LinearAdd(x, matrix, bias, residual, round);
        }

        public override void MoeAdd(MoeLayer layer, DeviceTensor x, DeviceTensor residual, bool round)
        {
            Asked.Add(round);
            Inner.MoeAdd(layer, x, residual, round);
        }
    }

    private sealed class OpenModel : IDisposable
    {
        private readonly ModelFolder _folder = new();

        public OpenModel(string name)
        {
            var (_, model, window) = Models.Single(entry => entry.Name == name);
            if (name.StartsWith("gguf", StringComparison.Ordinal))
            {
                Model = ModelSource.Open(_folder.Write("model.gguf", model.Gguf().Build()));
                return;
            }

            var config = model.Config();
            if (window is { } size)
            {
                config["sliding_window"] = JsonValue.Create(size);
            }

            model.WriteHub(_folder, config);
            Model = ModelSource.Open(_folder.Path);
        }

        public ModelSource Model { get; }

        public void Dispose()
        {
            Model.Dispose();
            _folder.Dispose();
        }
    }
}
