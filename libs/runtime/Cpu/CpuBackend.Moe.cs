using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu;

internal sealed unsafe partial class CpuBackend<TIsa, TF, TI>
{
    private readonly ExpertWork _experts = new();
    private readonly CombineWork _combine = new();
    private readonly DeviceMatrix[] _oneMatrix = new DeviceMatrix[1];
    private CpuTensor? _routerLogits;
    private CpuTensor? _expertInput;
    private CpuTensor? _expertGateUp;
    private CpuTensor? _expertHidden;
    private CpuTensor? _expertOutput;
    private int[] _chosen = [];
    private float[] _chosenWeights = [];
    private int[] _places = [];
    private int[] _expertStarts = [];

    public void MoeAdd(MoeLayer layer, DeviceTensor x, DeviceTensor residual, bool round)
    {
        ArgumentNullException.ThrowIfNull(layer);
        var experts = layer.Gates.Length;
        var topK = layer.Spec.TopK;
        var input = (CpuTensor)x;
        Use(ref _routerLogits, CpuTensor.Pad(experts));
        _oneMatrix[0] = layer.Router;
        Linear(x, _oneMatrix, null, _routerLogits!);
        Route(layer, input.Rows);

        // Rows sorted by expert, so that each expert is one matrix product over all its tokens.
        Use(ref _expertInput, input.Columns).Resize(input.Rows * topK);
        for (var i = 0; i < input.Rows * topK; i++)
        {
            new ReadOnlySpan<float>(input.Row(i / topK), input.Stride).CopyTo(
                new Span<float>(_expertInput!.Row(_places[i]), input.Stride));
        }

        var intermediate = CpuTensor.Pad(layer.Spec.IntermediateSize);
        Use(ref _expertGateUp, 2 * intermediate).Resize(input.Rows * topK);
        RunExperts(layer, _expertInput!, _expertGateUp!, gateUp: true);
        Use(ref _expertHidden, layer.Spec.IntermediateSize);
        SwiGlu(_expertGateUp!, _expertHidden!);
        Use(ref _expertOutput, residual.Columns).Resize(input.Rows * topK);
        RunExperts(layer, _expertHidden!, _expertOutput!, gateUp: false);

        _combine.Output = _expertOutput!;
        _combine.Residual = (CpuTensor)residual;
        _combine.Places = _places;
        _combine.Weights = _chosenWeights;
        _combine.TopK = topK;
        _combine.Round = round;
        RunRows(input.Rows, residual.Columns * topK, _combine);
    }

    private static CpuTensor Use(ref CpuTensor? tensor, int columns)
    {
        if (tensor is null || tensor.Columns != columns)
        {
            tensor?.Dispose();
            tensor = new CpuTensor(columns);
        }

        return tensor;
    }

    /// <summary>
    /// Chooses each row's experts from the router's logits: softmax over all, the k largest (ties to the lower id), in
    /// ascending id order; then places rows by expert.
    /// </summary>
    private void Route(MoeLayer layer, int rows)
    {
        var experts = layer.Gates.Length;
        var topK = layer.Spec.TopK;
        if (_chosen.Length < rows * topK)
        {
            _chosen = new int[rows * topK];
            _chosenWeights = new float[rows * topK];
            _places = new int[rows * topK];
        }

        if (_expertStarts.Length != experts + 1)
        {
            _expertStarts = new int[experts + 1];
        }

        Array.Clear(_expertStarts);
        Span<float> probabilities = stackalloc float[experts <= 1024 ? experts : 0];
        probabilities = experts <= 1024 ? probabilities : new float[experts];
        for (var row = 0; row < rows; row++)
        {
            var logits = new ReadOnlySpan<float>(_routerLogits!.Row(row), experts);
            var max = logits[0];
            foreach (var logit in logits)
            {
                max = Math.Max(max, logit);
            }

            var sum = 0f;
            for (var e = 0; e < experts; e++)
            {
                probabilities[e] = ScalarMath.Exp(logits[e] - max);
                sum += probabilities[e];
            }

            var chosen = _chosen.AsSpan(row * topK, topK);
            var weights = _chosenWeights.AsSpan(row * topK, topK);
            ChooseLargest(probabilities, chosen);
            var total = 0f;
            for (var i = 0; i < topK; i++)
            {
                weights[i] = probabilities[chosen[i]] / sum;
                total += weights[i];
                _expertStarts[chosen[i] + 1]++;
            }

            if (layer.Spec.NormalizeTopK)
            {
                for (var i = 0; i < topK; i++)
                {
                    weights[i] /= total;
                }
            }
        }

        for (var e = 0; e < experts; e++)
        {
            _expertStarts[e + 1] += _expertStarts[e];
        }

        for (var i = 0; i < rows * topK; i++)
        {
            _places[i] = _expertStarts[_chosen[i]]++;
        }

        for (var e = experts; e > 0; e--)
        {
            _expertStarts[e] = _expertStarts[e - 1];
        }

        _expertStarts[0] = 0;
    }

    /// <summary>Indices of the largest values, ties to the lower index, ascending.</summary>
    private static void ChooseLargest(ReadOnlySpan<float> values, Span<int> chosen)
    {
        for (var i = 0; i < chosen.Length; i++)
        {
            var best = -1;
            for (var e = 0; e < values.Length; e++)
            {
                if ((best < 0 || values[e] > values[best]) && !chosen[..i].Contains(e))
                {
                    best = e;
                }
            }

            chosen[i] = best;
        }

        chosen.Sort();
    }

    private void RunExperts(MoeLayer layer, CpuTensor input, CpuTensor output, bool gateUp)
    {
        _experts.Layer = layer;
        _experts.Starts = _expertStarts;
        _experts.GateUp = gateUp;
        _experts.Args = new LinearArgs
        {
            Rows = input.Rows,
            X = input.Data,
            XStride = input.Stride,
            Out = output.Data,
            OutStride = output.Stride,
        };
        var tasks = _experts.Plan();
        if (_experts.WantsQuantizedInput)
        {
            _quantized.Attach(ref _experts.Args, input.Columns);
            _linear.Begin(input, output, null, LinearMode.Store);
            _linear.Args = _experts.Args;
            _quantize.Linear = _linear;
            RunRows(input.Rows, input.Columns, _quantize);
        }

        _pool.Run(tasks, _experts);
    }

    private void DisposeMoe()
    {
        _routerLogits?.Dispose();
        _expertInput?.Dispose();
        _expertGateUp?.Dispose();
        _expertHidden?.Dispose();
        _expertOutput?.Dispose();
    }

    /// <summary>One projection of all experts over their own rows: tasks are (expert, run of row groups).</summary>
    private sealed class ExpertWork : CpuWork
    {
        private const int GroupsPerTask = 8;
        private int _tasksPerMatrix;
        public MoeLayer Layer = null!;
        public int[] Starts = null!;
        public bool GateUp;
        public LinearArgs Args;

        public bool WantsQuantizedInput { get; private set; }

        public int Plan()
        {
            var groups = 0;
            WantsQuantizedInput = false;
            for (var e = 0; e < Layer.Gates.Length; e++)
            {
                for (var part = 0; part < (GateUp ? 2 : 1); part++)
                {
                    var matrix = Matrix(e, part);
                    groups = Math.Max(groups, matrix.Groups);
                    WantsQuantizedInput |= matrix.WantsQuantizedInput;
                }
            }

            _tasksPerMatrix = (groups + GroupsPerTask - 1) / GroupsPerTask;
            return Layer.Gates.Length * _tasksPerMatrix * (GateUp ? 2 : 1);
        }

        public override void Execute(int task)
        {
            var index = task / _tasksPerMatrix;
            var expert = GateUp ? index / 2 : index;
            var part = GateUp ? index % 2 : 0;
            var rows = Starts[expert + 1] - Starts[expert];
            if (rows == 0)
            {
                return;
            }

            var matrix = Matrix(expert, part);
            var args = Args;
            long first = Starts[expert];
            args.Rows = rows;
            args.X += first * args.XStride;
            args.Q += first * args.QStride;
            args.Scale += first * args.BlockStride;
            args.ScaledSum += first * args.BlockStride;
            args.Sum16 += first * args.BlockStride * 2;
            args.Out += (first * args.OutStride) + (part * (args.OutStride / 2));
            var group = task % _tasksPerMatrix * GroupsPerTask;
            if (group < matrix.Groups)
            {
                matrix.Multiply(group, Math.Min(group + GroupsPerTask, matrix.Groups), in args);
            }
        }

        private CpuMatrix Matrix(int expert, int part) =>
            (CpuMatrix)(!GateUp ? Layer.Downs[expert] : part == 0 ? Layer.Gates[expert] : Layer.Ups[expert]);
    }

    /// <summary>residual += sum over the row's experts, in id order, of weight * output.</summary>
    private sealed class CombineWork : CpuWork
    {
        public CpuTensor Output = null!;
        public CpuTensor Residual = null!;
        public int[] Places = null!;
        public float[] Weights = null!;
        public int TopK;
        public bool Round;

        public override void Execute(int task)
        {
            var target = Residual.Row(task);
            for (var k = 0; k < Residual.Columns; k++)
            {
                var sum = 0f;
                for (var i = 0; i < TopK; i++)
                {
                    var at = (task * TopK) + i;
                    sum = MathF.FusedMultiplyAdd(Weights[at], Output.Row(Places[at])[k], sum);
                }

                var value = target[k] + sum;
                target[k] = Round ? HalfFloats.RoundToBf16(value) : value;
            }
        }
    }
}
