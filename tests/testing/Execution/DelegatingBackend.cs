using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Testing.Execution;

/// <summary>Passes everything on; tests override what they break or watch. Does not own the inner backend.</summary>
internal class DelegatingBackend(IComputeBackend inner) : IComputeBackend
{
    public string Family => inner.Family;

    public int ArithmeticVersion => inner.ArithmeticVersion;

    public string Description => inner.Description;

    protected IComputeBackend Inner => inner;

    public virtual DeviceMatrix LoadMatrix(WeightTensor source) => inner.LoadMatrix(source);

    public virtual long MatrixBytes(TensorFormat format, int rows, int columns) => inner.MatrixBytes(format, rows, columns);

    public virtual long VectorBytes(int length) => inner.VectorBytes(length);

    public virtual DeviceVector LoadVector(ReadOnlySpan<(WeightTensor? Source, int Length)> parts) => inner.LoadVector(parts);

    public virtual DeviceTensor AllocateTensor(int columns) => inner.AllocateTensor(columns);

    public virtual DeviceTensor AllocateTensor(ReadOnlySpan<DeviceMatrix> parts) => inner.AllocateTensor(parts);

    public virtual long KvBlockBytes(AttentionSpec attention, ResidualPrecision precision) => inner.KvBlockBytes(attention, precision);

    public virtual DeviceKv AllocateKv(AttentionSpec attention, int blocks, ResidualPrecision precision) =>
        inner.AllocateKv(attention, blocks, precision);

    public virtual void BeginStep(StepBatch batch, int kvGroups) => inner.BeginStep(batch, kvGroups);

    public virtual void Embed(DeviceMatrix table, ReadOnlySpan<int> ids, DeviceTensor output, bool round) =>
        inner.Embed(table, ids, output, round);

    public virtual void RmsNorm(DeviceTensor x, DeviceVector weight, float epsilon, DeviceTensor output) =>
        inner.RmsNorm(x, weight, epsilon, output);

    public virtual void Linear(DeviceTensor x, ReadOnlySpan<DeviceMatrix> parts, DeviceVector? bias, DeviceTensor output) =>
        inner.Linear(x, parts, bias, output);

    public virtual void LinearAdd(DeviceTensor x, DeviceMatrix matrix, DeviceVector? bias, DeviceTensor residual, bool round) =>
        inner.LinearAdd(x, matrix, bias, residual, round);

    public virtual void StoreKv(AttentionLayer layer, DeviceTensor qkv) => inner.StoreKv(layer, qkv);

    public virtual void Attend(AttentionLayer layer, DeviceTensor qkv, DeviceTensor output) => inner.Attend(layer, qkv, output);

    public virtual void SwiGlu(DeviceTensor gateUp, DeviceTensor output) => inner.SwiGlu(gateUp, output);

    public virtual void MoeAdd(MoeLayer layer, DeviceTensor x, DeviceTensor residual, bool round) =>
        inner.MoeAdd(layer, x, residual, round);

    public virtual void Gather(DeviceTensor x, IReadOnlyList<int> rows, DeviceTensor output) => inner.Gather(x, rows, output);

    public virtual void Dispose()
    {
    }
}
