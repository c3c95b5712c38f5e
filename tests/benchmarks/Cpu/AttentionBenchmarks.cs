using BenchmarkDotNet.Attributes;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Benchmarks.Cpu;

/// <summary>One layer's attention over a context: one row decodes, or 64 rows prefill at its end.</summary>
[MemoryDiagnoser]
public class AttentionBenchmarks : IDisposable
{
    private static readonly AttentionSpec Spec = new()
    {
        Heads = 9,
        KvHeads = 3,
        HeadDim = 64,
        Scale = 0.125f,
        Rope = new RopeSpec { Layout = RopeLayout.Halves, Theta = 100_000, RotaryDim = 64 },
        Query = default,
        Key = default,
        Value = default,
        Output = default,
    };

    private IComputeBackend _backend = null!;
    private AttentionLayer _layer = null!;
    private DeviceTensor _qkv = null!;
    private DeviceTensor _output = null!;

    [Params(1, 64)]
    public int Rows { get; set; }

    [Params(128, 1024, 4096)]
    public int Context { get; set; }

    [Params(ResidualPrecision.BF16, ResidualPrecision.F32)]
    public ResidualPrecision Precision { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _backend = CpuBackend.Create(new CpuBackendOptions());
        var kv = _backend.AllocateKv(Spec, (Context + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens, Precision);
        _layer = new AttentionLayer(Spec, 0, kv, null, null, 1e-5f);
        var width = (Spec.Heads + (2 * Spec.KvHeads)) * Spec.HeadDim;
        _output = _backend.AllocateTensor(Spec.Heads * Spec.HeadDim);

        // The context is stored first, as a prefill would.
        using (var context = Activations.Random(_backend, Context, width, seed: 1))
        {
            _backend.BeginStep(Activations.Batch(Context), kvGroups: 1);
            _backend.StoreKv(_layer, context);
        }

        _qkv = Activations.Random(_backend, Rows, width, seed: 2);
        _backend.BeginStep(Activations.Batch(Rows, Context - Rows), kvGroups: 1);
        _backend.StoreKv(_layer, _qkv);
    }

    [Benchmark]
    public void Attend() => _backend.Attend(_layer, _qkv, _output);

    [GlobalCleanup]
    public void Dispose()
    {
        _qkv.Dispose();
        _output.Dispose();
        _layer.Kv.Dispose();
        _backend.Dispose();
        GC.SuppressFinalize(this);
    }
}
