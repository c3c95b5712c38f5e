using Parallax.Runtime.Cpu.Kernels;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu;

internal sealed unsafe partial class CpuBackend<TIsa, TF, TI>
{
    /// <summary>One row's queries, keys and values: norm, rotation, and the write into the KV blocks.</summary>
    private sealed class StoreKvWork : CpuWork
    {
        public AttentionLayer Layer = null!;
        public CpuStep Step = null!;
        public CpuTensor Qkv = null!;

        public override void Execute(int task)
        {
            var spec = Layer.Spec;
            var kv = (CpuKv)Layer.Kv;
            var slice = Step.SliceOf(task);
            var position = Step.Starts[slice] + task - Step.FirstRows[slice];
            var block = Step.BlockTable(slice, Layer.KvGroupIndex)[position / KvGroup.BlockTokens];
            var slot = position % KvGroup.BlockTokens;
            var queries = Qkv.Row(task);
            var keys = queries + CpuTensor.Pad(spec.Heads * spec.HeadDim);
            var values = keys + CpuTensor.Pad(spec.KvHeads * spec.HeadDim);
            var angles = kv.Rope.Row(position);
            for (var head = 0; head < spec.Heads; head++)
            {
                Prepare(queries + (head * spec.HeadDim), Layer.QueryNorm, angles, kv.Rope);
            }

            for (var head = 0; head < spec.KvHeads; head++)
            {
                var key = keys + (head * spec.HeadDim);
                var value = values + (head * spec.HeadDim);
                Prepare(key, Layer.KeyNorm, angles, kv.Rope);
                if (kv.IsBf16)
                {
                    var keyTarget = (ushort*)kv.Keys(block, head) + slot;
                    var valueTarget = (ushort*)kv.Values(block, head) + (slot * kv.PaddedHeadDim);
                    for (var d = 0; d < spec.HeadDim; d++)
                    {
                        keyTarget[d * KvGroup.BlockTokens] = HalfFloats.ToBf16(key[d]);
                        valueTarget[d] = HalfFloats.ToBf16(value[d]);
                    }
                }
                else
                {
                    var keyTarget = (float*)kv.Keys(block, head) + slot;
                    var valueTarget = (float*)kv.Values(block, head) + (slot * kv.PaddedHeadDim);
                    for (var d = 0; d < spec.HeadDim; d++)
                    {
                        keyTarget[d * KvGroup.BlockTokens] = key[d];
                        valueTarget[d] = value[d];
                    }
                }
            }
        }

        private void Prepare(float* head, DeviceVector? norm, float* angles, RopeTable rope)
        {
            if (norm is not null)
            {
                // The norm reads whole groups of 16, which a small head does not fill: work on a padded copy.
                var padded = stackalloc float[CpuTensor.Pad(Layer.Spec.HeadDim)];
                new Span<float>(padded, CpuTensor.Pad(Layer.Spec.HeadDim)).Clear();
                new ReadOnlySpan<float>(head, Layer.Spec.HeadDim).CopyTo(new Span<float>(padded, Layer.Spec.HeadDim));
                Norm<TIsa, TF, TI>.Row(padded, ((CpuVector)norm).Data, padded, Layer.Spec.HeadDim, Layer.NormEpsilon);
                new ReadOnlySpan<float>(padded, Layer.Spec.HeadDim).CopyTo(new Span<float>(head, Layer.Spec.HeadDim));
            }

            Rotate<TIsa, TF, TI>.Head(head, angles, rope.Pairs, rope.Rope.Layout);
        }
    }

    /// <summary>Attention of all rows: tasks are (slice, KV head, run of query tiles).</summary>
    private sealed class AttendWork : CpuWork
    {
        private AttentionLayer _layer = null!;
        private CpuStep _step = null!;
        private CpuTensor _qkv = null!;
        private CpuTensor _output = null!;
        private int[] _taskStarts = new int[16];
        private int _queriesPerTask;

        /// <summary>Plans the tasks and returns how many there are.</summary>
        public int Begin(AttentionLayer layer, CpuStep step, CpuTensor qkv, CpuTensor output, int threads)
        {
            _layer = layer;
            _step = step;
            _qkv = qkv;
            _output = output;
            if (_taskStarts.Length <= step.Slices)
            {
                _taskStarts = new int[step.Slices * 2];
            }

            // Several tiles a task while every thread has some; a tile costs the same however few queries it holds, so it
            // is split only where threads would be idle.
            const int Tile = Attention<TIsa, TF, TI>.Tile;
            _queriesPerTask = 4 * Tile;
            var tasks = Count();
            while (_queriesPerTask > 1 && tasks < (_queriesPerTask > Tile ? 3 * threads : threads))
            {
                _queriesPerTask /= 2;
                tasks = Count();
            }

            return tasks;
        }

        public override void Execute(int task)
        {
            var slice = 0;
            while (_taskStarts[slice + 1] <= task)
            {
                slice++;
            }

            var spec = _layer.Spec;
            var perHead = (_taskStarts[slice + 1] - _taskStarts[slice]) / spec.KvHeads;
            var local = task - _taskStarts[slice];
            var group = spec.Heads / spec.KvHeads;
            var firstRow = _step.FirstRows[slice];
            var queries = (_step.FirstRows[slice + 1] - firstRow) * group;
            var args = new AttentionArgs
            {
                Queries = _qkv.Row(firstRow),
                QueryStride = _qkv.Stride,
                Output = _output.Row(firstRow),
                OutputStride = _output.Stride,
                BlockTable = _step.BlockTable(slice, _layer.KvGroupIndex),
                StartPosition = _step.Starts[slice],
                HeadsPerKv = group,
                KvHead = local / perHead,
                HeadDim = spec.HeadDim,
                Window = spec.Window ?? int.MaxValue,
                Scale = spec.Scale,
            };
            var first = local % perHead * _queriesPerTask;
            var last = Math.Min(first + _queriesPerTask, queries);
            for (; first < last; first += Attention<TIsa, TF, TI>.Tile)
            {
                Attention<TIsa, TF, TI>.Run(in args, (CpuKv)_layer.Kv, first, Math.Min(Attention<TIsa, TF, TI>.Tile, last - first));
            }
        }

        private int Count()
        {
            var spec = _layer.Spec;
            var group = spec.Heads / spec.KvHeads;
            _taskStarts[0] = 0;
            for (var slice = 0; slice < _step.Slices; slice++)
            {
                var queries = (_step.FirstRows[slice + 1] - _step.FirstRows[slice]) * group;
                var perHead = (queries + _queriesPerTask - 1) / _queriesPerTask;
                _taskStarts[slice + 1] = _taskStarts[slice] + (perHead * spec.KvHeads);
            }

            return _taskStarts[_step.Slices];
        }
    }
}
