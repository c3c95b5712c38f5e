using BenchmarkDotNet.Attributes;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.Benchmarks.Cpu;

/// <summary>
/// Activations times weights in every stored format: one row (a decoding session), 16 (a batch of them), 256 (prefill).
/// The shape is SmolLM2's up projection.
/// </summary>
[MemoryDiagnoser]
public class LinearBenchmarks : IDisposable
{
    private const int Inputs = 768; // whole blocks of every format, 256 being the longest
    private const int Outputs = 1536;
    private readonly DeviceMatrix[] _parts = new DeviceMatrix[1];
    private IComputeBackend _backend = null!;
    private DeviceTensor _x = null!;
    private DeviceTensor _y = null!;

    [ParamsAllValues]
    public TensorFormat Format { get; set; }

    [Params(1, 16, 256)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _backend = CpuBackend.Create(new CpuBackendOptions());
        var weights = PinnedWeights.Random(Format, Outputs, Inputs, seed: 1);
        _parts[0] = _backend.LoadMatrix(weights.Tensor);
        GC.KeepAlive(weights);
        _x = Activations.Random(_backend, Rows, Inputs, seed: 2);
        _y = _backend.AllocateTensor(_parts);
        _backend.BeginStep(Activations.Batch(Rows), kvGroups: 1);
    }

    [Benchmark]
    public void Linear() => _backend.Linear(_x, _parts, null, _y);

    [GlobalCleanup]
    public void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        _parts[0].Dispose();
        _backend.Dispose();
        GC.SuppressFinalize(this);
    }
}
