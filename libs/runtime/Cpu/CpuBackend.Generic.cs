using System.Runtime.InteropServices;
using Parallax.Runtime.Cpu.Kernels;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu;

/// <summary>The CPU backend on one instruction set. Arithmetic: docs/numerics.md.</summary>
internal sealed unsafe partial class CpuBackend<TIsa, TF, TI> : IComputeBackend
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    private readonly CpuThreadPool _pool;
    private readonly CpuStep _step = new();
    private readonly QuantizedInput _quantized = new();
    private readonly Dictionary<RopeSpec, RopeTable> _ropes = [];
    private readonly LinearWork _linear = new();
    private readonly QuantizeWork _quantize = new();
    private readonly NormWork _norm = new();
    private readonly StoreKvWork _storeKv = new();
    private readonly AttendWork _attend = new();
    private readonly SwiGluWork _swiGlu = new();
    private readonly string _isa;
    private bool _disposed;

    public CpuBackend(int threads, string isa)
    {
        _pool = new CpuThreadPool(threads);
        _isa = isa;
    }

    public string Family => "cpu";

    public int ArithmeticVersion => CpuBackend.ArithmeticVersion;

    public string Description => $"CPU, {_isa}, {_pool.Threads} thread{(_pool.Threads == 1 ? "" : "s")}";

    public void Rest() => _pool.Rest();

    public DeviceMatrix LoadMatrix(WeightTensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.Format switch
        {
            TensorFormat.F32 => new PlainMatrix<TIsa, TF, TI, PlainF32>(source),
            TensorFormat.F16 => new PlainMatrix<TIsa, TF, TI, PlainF16>(source),
            TensorFormat.BF16 => new PlainMatrix<TIsa, TF, TI, PlainBF16>(source),
            TensorFormat.Q4_0 => new PackedMatrix<TIsa, TF, TI, PackedQ40>(source, _pool),
            TensorFormat.Q4_1 => new PackedMatrix<TIsa, TF, TI, PackedQ41>(source, _pool),
            TensorFormat.Q5_0 => new PackedMatrix<TIsa, TF, TI, PackedQ50>(source, _pool),
            TensorFormat.Q5_1 => new PackedMatrix<TIsa, TF, TI, PackedQ51>(source, _pool),
            TensorFormat.Q8_0 => new PackedMatrix<TIsa, TF, TI, PackedQ80>(source, _pool),
            TensorFormat.Q4_K => new PackedMatrix<TIsa, TF, TI, PackedQ4K>(source, _pool),
            TensorFormat.Q5_K => new PackedMatrix<TIsa, TF, TI, PackedQ5K>(source, _pool),
            TensorFormat.Q6_K => new PackedMatrix<TIsa, TF, TI, PackedQ6K>(source, _pool),
            _ => throw new ArgumentOutOfRangeException(nameof(source), source.Format, "no kernel for this format"),
        };
    }

    public long MatrixBytes(TensorFormat format, int rows, int columns) => format switch
    {
        TensorFormat.F32 => PlainMatrix<TIsa, TF, TI, PlainF32>.SizeOf(rows, columns),
        TensorFormat.F16 => PlainMatrix<TIsa, TF, TI, PlainF16>.SizeOf(rows, columns),
        TensorFormat.BF16 => PlainMatrix<TIsa, TF, TI, PlainBF16>.SizeOf(rows, columns),
        TensorFormat.Q4_0 => PackedMatrix<TIsa, TF, TI, PackedQ40>.SizeOf(rows, columns),
        TensorFormat.Q4_1 => PackedMatrix<TIsa, TF, TI, PackedQ41>.SizeOf(rows, columns),
        TensorFormat.Q5_0 => PackedMatrix<TIsa, TF, TI, PackedQ50>.SizeOf(rows, columns),
        TensorFormat.Q5_1 => PackedMatrix<TIsa, TF, TI, PackedQ51>.SizeOf(rows, columns),
        TensorFormat.Q8_0 => PackedMatrix<TIsa, TF, TI, PackedQ80>.SizeOf(rows, columns),
        TensorFormat.Q4_K => PackedMatrix<TIsa, TF, TI, PackedQ4K>.SizeOf(rows, columns),
        TensorFormat.Q5_K => PackedMatrix<TIsa, TF, TI, PackedQ5K>.SizeOf(rows, columns),
        TensorFormat.Q6_K => PackedMatrix<TIsa, TF, TI, PackedQ6K>.SizeOf(rows, columns),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no kernel for this format"),
    };

    public long VectorBytes(int length) => (long)CpuTensor.Pad(length) * sizeof(float);

    public DeviceVector LoadVector(ReadOnlySpan<(WeightTensor? Source, int Length)> parts)
    {
        var length = 0;
        foreach (var part in parts)
        {
            length += CpuTensor.Pad(part.Length);
        }

        var vector = new CpuVector(length);
        var offset = 0;
        foreach (var (source, partLength) in parts)
        {
            if (source is not null)
            {
                if (source.Rows != 1 || source.Columns != partLength)
                {
                    throw new ArgumentException($"'{source.Name}' is [{source.Rows}, {source.Columns}], not a vector of {partLength}");
                }

                Expand(source, vector.Data + offset);
            }

            offset += CpuTensor.Pad(partLength);
        }

        return vector;
    }

    public DeviceTensor AllocateTensor(int columns) => new CpuTensor(columns);

    public DeviceTensor AllocateTensor(ReadOnlySpan<DeviceMatrix> parts)
    {
        var columns = 0;
        foreach (var part in parts)
        {
            columns += CpuTensor.Pad(part.Rows);
        }

        return new CpuTensor(columns);
    }

    public long KvBlockBytes(AttentionSpec attention, ResidualPrecision precision) => CpuKv.BytesPerBlock(attention, precision);

    public DeviceKv AllocateKv(AttentionSpec attention, int blocks, ResidualPrecision precision)
    {
        if (!_ropes.TryGetValue(attention.Rope, out var rope))
        {
            rope = new RopeTable(attention.Rope);
            _ropes.Add(attention.Rope, rope);
        }

        return new CpuKv(attention, blocks, precision, rope);
    }

    public void BeginStep(StepBatch batch, int kvGroups)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(_disposed, this);
        _step.Begin(batch, kvGroups);
        foreach (var table in _ropes.Values)
        {
            table.Ensure(_step.PositionEnd);
        }
    }

    public void Embed(DeviceMatrix table, ReadOnlySpan<int> ids, DeviceTensor output, bool round)
    {
        var target = (CpuTensor)output;
        var matrix = (CpuMatrix)table;
        target.Resize(ids.Length);
        for (var row = 0; row < ids.Length; row++)
        {
            if ((uint)ids[row] >= (uint)matrix.Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), ids[row], $"token ids are in [0, {matrix.Rows})");
            }

            var values = target.Row(row);
            matrix.ReadRow(ids[row], values);
            if (round)
            {
                for (var k = 0; k < target.Columns; k++)
                {
                    values[k] = HalfFloats.RoundToBf16(values[k]);
                }
            }
        }
    }

    public void RmsNorm(DeviceTensor x, DeviceVector weight, float epsilon, DeviceTensor output)
    {
        output.Resize(x.Rows);
        _norm.Input = (CpuTensor)x;
        _norm.Output = (CpuTensor)output;
        _norm.Weight = ((CpuVector)weight).Data;
        _norm.Epsilon = epsilon;
        RunRows(x.Rows, x.Columns, _norm);
    }

    public void Linear(DeviceTensor x, ReadOnlySpan<DeviceMatrix> parts, DeviceVector? bias, DeviceTensor output)
    {
        output.Resize(x.Rows);
        _linear.Begin((CpuTensor)x, (CpuTensor)output, bias, LinearMode.Store);
        foreach (var part in parts)
        {
            _linear.Add((CpuMatrix)part);
        }

        RunLinear();
    }

    public void LinearAdd(DeviceTensor x, DeviceMatrix matrix, DeviceVector? bias, DeviceTensor residual, bool round)
    {
        _linear.Begin((CpuTensor)x, (CpuTensor)residual, bias, round ? LinearMode.AddRound : LinearMode.Add);
        _linear.Add((CpuMatrix)matrix);
        RunLinear();
    }

    public void StoreKv(AttentionLayer layer, DeviceTensor qkv)
    {
        ArgumentNullException.ThrowIfNull(layer);
        _storeKv.Layer = layer;
        _storeKv.Step = _step;
        _storeKv.Qkv = (CpuTensor)qkv;
        RunRows(qkv.Rows, qkv.Columns, _storeKv);
    }

    public void Attend(AttentionLayer layer, DeviceTensor qkv, DeviceTensor output)
    {
        ArgumentNullException.ThrowIfNull(layer);
        output.Resize(qkv.Rows);
        var tasks = _attend.Begin(layer, _step, (CpuTensor)qkv, (CpuTensor)output, _pool.Threads);
        _pool.Run(tasks, _attend);
    }

    public void SwiGlu(DeviceTensor gateUp, DeviceTensor output)
    {
        output.Resize(gateUp.Rows);
        _swiGlu.GateUp = (CpuTensor)gateUp;
        _swiGlu.Output = (CpuTensor)output;
        RunRows(gateUp.Rows, gateUp.Columns, _swiGlu);
    }

    public void Gather(DeviceTensor x, IReadOnlyList<int> rows, DeviceTensor output)
    {
        ArgumentNullException.ThrowIfNull(rows);
        output.Resize(rows.Count);
        var source = (CpuTensor)x;
        var target = (CpuTensor)output;
        for (var i = 0; i < rows.Count; i++)
        {
            new ReadOnlySpan<float>(source.Row(rows[i]), source.Stride).CopyTo(new Span<float>(target.Row(i), target.Stride));
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _pool.Dispose();
        _step.Dispose();
        _quantized.Dispose();
        foreach (var table in _ropes.Values)
        {
            table.Dispose();
        }

        DisposeMoe();
    }

    private static void Expand(WeightTensor source, float* target)
    {
        switch (source.Format)
        {
            case TensorFormat.F32:
                MemoryMarshal.Cast<byte, float>(source.Row(0)).CopyTo(new Span<float>(target, source.Columns));
                break;
            case TensorFormat.BF16:
                var bf16 = MemoryMarshal.Cast<byte, ushort>(source.Row(0));
                for (var i = 0; i < bf16.Length; i++)
                {
                    target[i] = HalfFloats.FromBf16(bf16[i]);
                }

                break;
            case TensorFormat.F16:
                var f16 = MemoryMarshal.Cast<byte, Half>(source.Row(0));
                for (var i = 0; i < f16.Length; i++)
                {
                    target[i] = (float)f16[i];
                }

                break;
            default:
                throw new InvalidDataException($"vector '{source.Name}' is stored as {source.Format}; f32, f16 or bf16 expected");
        }
    }

    /// <summary>Runs a job of one task per row: on this thread when it is small, else on the pool.</summary>
    private void RunRows(int rows, int columns, CpuWork work)
    {
        const int WorthwhileElements = 16384;
        if ((long)rows * columns < WorthwhileElements)
        {
            for (var row = 0; row < rows; row++)
            {
                work.Execute(row);
            }
        }
        else
        {
            _pool.Run(rows, work);
        }
    }

    private void RunLinear()
    {
        if (_linear.WantsQuantizedInput)
        {
            _quantized.Attach(ref _linear.Args, _linear.Columns);
            _quantize.Linear = _linear;
            RunRows(_linear.Args.Rows, _linear.Columns, _quantize);
        }

        _pool.Run(_linear.Plan(_pool.Threads), _linear);
    }

    /// <summary>A linear layer over several matrices: tasks are runs of row groups.</summary>
    private sealed class LinearWork : CpuWork
    {
        private CpuMatrix[] _parts = new CpuMatrix[4];
        private int[] _offsets = new int[4];
        private int _count;
        private int _groups;
        private int _groupsPerTask;
        public LinearArgs Args;

        public int Columns { get; private set; }

        public bool WantsQuantizedInput { get; private set; }

        public void Begin(CpuTensor x, CpuTensor output, DeviceVector? bias, LinearMode mode)
        {
            _count = 0;
            _groups = 0;
            WantsQuantizedInput = false;
            Columns = x.Columns;
            Args = new LinearArgs
            {
                Rows = x.Rows,
                X = x.Data,
                XStride = x.Stride,
                Out = output.Data,
                OutStride = output.Stride,
                Bias = bias is null ? null : ((CpuVector)bias).Data,
                Mode = mode,
            };
        }

        public void Add(CpuMatrix part)
        {
            if (part.Columns != Columns)
            {
                throw new ArgumentException($"'{part.Name}' has {part.Columns} columns, its input {Columns}");
            }

            if (_count == _parts.Length)
            {
                Array.Resize(ref _parts, _count * 2);
                Array.Resize(ref _offsets, _count * 2);
            }

            _parts[_count] = part;
            _offsets[_count] = _groups;
            _count++;
            _groups += part.Groups;
            WantsQuantizedInput |= part.WantsQuantizedInput;
        }

        /// <summary>Chooses the tasks: about eight per thread, at least 4 groups each.</summary>
        public int Plan(int threads)
        {
            _groupsPerTask = threads == 1 ? _groups : Math.Max(4, _groups / (threads * 8));
            return (_groups + _groupsPerTask - 1) / _groupsPerTask;
        }

        public override void Execute(int task)
        {
            var first = task * _groupsPerTask;
            var last = Math.Min(first + _groupsPerTask, _groups);
            for (var i = 0; i < _count; i++)
            {
                var from = Math.Max(first - _offsets[i], 0);
                var to = Math.Min(last - _offsets[i], _parts[i].Groups);
                if (from < to)
                {
                    var args = Args;
                    args.Out += _offsets[i] * 16;
                    args.Bias = args.Bias is null ? null : args.Bias + (_offsets[i] * 16);
                    _parts[i].Multiply(from, to, in args);
                }
            }
        }
    }

    private sealed class QuantizeWork : CpuWork
    {
        public LinearWork Linear = null!;

        public override void Execute(int task) => Quantize<TIsa, TF, TI>.Row(in Linear.Args, Linear.Columns, task);
    }

    private sealed class NormWork : CpuWork
    {
        public CpuTensor Input = null!;
        public CpuTensor Output = null!;
        public float* Weight;
        public float Epsilon;

        public override void Execute(int task) =>
            Norm<TIsa, TF, TI>.Row(Input.Row(task), Weight, Output.Row(task), Input.Columns, Epsilon);
    }

    private sealed class SwiGluWork : CpuWork
    {
        public CpuTensor GateUp = null!;
        public CpuTensor Output = null!;

        public override void Execute(int task)
        {
            var gate = GateUp.Row(task);
            var up = gate + Output.Stride;
            var target = Output.Row(task);
            for (var k = 0; k < Output.Stride; k += TIsa.Lanes)
            {
                TIsa.Store(target + k, TIsa.Mul(VectorMath<TIsa, TF, TI>.Silu(TIsa.Load(gate + k)), TIsa.Load(up + k)));
            }
        }
    }
}
