using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>
/// What stands between the model runtime and the hardware: the building blocks of a decoder. Used by one thread at a
/// time. Every operation's result for a row depends on that row (and its session's KV) alone.
/// </summary>
public interface IComputeBackend : IDisposable
{
    /// <summary>The backend family of the numeric class, e.g. <c>cpu</c>.</summary>
    string Family { get; }

    /// <summary>Version of its arithmetic (docs/numerics.md).</summary>
    int ArithmeticVersion { get; }

    /// <summary>Threads, instruction set and the like, for people.</summary>
    string Description { get; }

    /// <summary>Copies a matrix to the device, in its stored precision.</summary>
    /// <exception cref="InvalidDataException">A value that cannot be computed with; names the row.</exception>
    DeviceMatrix LoadMatrix(WeightTensor source);

    /// <summary>Bytes that <see cref="LoadMatrix"/> takes for a matrix that is stored so.</summary>
    long MatrixBytes(TensorFormat format, int rows, int columns);

    /// <summary>
    /// Copies parameter vectors to the device as f32, one after another as <see cref="Linear"/> lays its parts out; a null
    /// part is zeros of the given length.
    /// </summary>
    DeviceVector LoadVector(ReadOnlySpan<(WeightTensor? Source, int Length)> parts);

    /// <summary>Bytes that a part of this length takes in <see cref="LoadVector"/>.</summary>
    long VectorBytes(int length);

    /// <summary>Activations of <paramref name="columns"/> columns.</summary>
    DeviceTensor AllocateTensor(int columns);

    /// <summary>Activations for the outputs of several matrices side by side, as <see cref="Linear"/> writes them.</summary>
    DeviceTensor AllocateTensor(ReadOnlySpan<DeviceMatrix> parts);

    /// <summary>Bytes that one KV block of one layer takes.</summary>
    long KvBlockBytes(AttentionSpec attention, ResidualPrecision precision);

    /// <summary>KV blocks for one layer, zeroed.</summary>
    DeviceKv AllocateKv(AttentionSpec attention, int blocks, ResidualPrecision precision);

    /// <summary>Announces the step's rows, before any operation on them.</summary>
    void BeginStep(StepBatch batch, int kvGroups);

    /// <summary>output[r] = table[ids[r]], rounded to bf16 when asked.</summary>
    void Embed(DeviceMatrix table, ReadOnlySpan<int> ids, DeviceTensor output, bool round);

    /// <summary>output = x / sqrt(mean(x^2) + epsilon) * weight, per row.</summary>
    void RmsNorm(DeviceTensor x, DeviceVector weight, float epsilon, DeviceTensor output);

    /// <summary>output = [x W0^T, x W1^T, ...] + bias.</summary>
    void Linear(DeviceTensor x, ReadOnlySpan<DeviceMatrix> parts, DeviceVector? bias, DeviceTensor output);

    /// <summary>residual += x W^T + bias, then rounded to bf16 when asked.</summary>
    void LinearAdd(DeviceTensor x, DeviceMatrix matrix, DeviceVector? bias, DeviceTensor residual, bool round);

    /// <summary>Norms and rotates the rows' queries in place, and writes their keys and values into the KV blocks.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="qkv">Queries, keys and values side by side.</param>
    void StoreKv(AttentionLayer layer, DeviceTensor qkv);

    /// <summary>output = softmax(q k^T * scale) v per head, over each row's own session and window.</summary>
    void Attend(AttentionLayer layer, DeviceTensor qkv, DeviceTensor output);

    /// <summary>output = silu(gate) * up.</summary>
    /// <param name="gateUp">Gate and up side by side.</param>
    /// <param name="output">[rows, intermediate].</param>
    void SwiGlu(DeviceTensor gateUp, DeviceTensor output);

    /// <summary>residual += mixture of experts of x, then rounded to bf16 when asked.</summary>
    void MoeAdd(MoeLayer layer, DeviceTensor x, DeviceTensor residual, bool round);

    /// <summary>output[i] = x[rows[i]].</summary>
    void Gather(DeviceTensor x, IReadOnlyList<int> rows, DeviceTensor output);

    /// <summary>See <see cref="IModelShard.Rest"/>.</summary>
    void Rest()
    {
    }
}
