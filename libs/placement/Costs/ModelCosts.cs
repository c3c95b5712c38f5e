using Parallax.Contracts.Identifiers;

namespace Parallax.Placement.Costs;

/// <summary>A model that shall be served, as sums over its layers: memory and time of any range on any node.</summary>
internal sealed class ModelCosts
{
    private readonly long[] _weights; // of the layers before i
    private readonly long[] _kv;
    private readonly long _embedding;
    private readonly long _head;
    private readonly long _bothEnds;
    private readonly long _scratch;
    private readonly StepWork _batchWork;
    private readonly StepWork _singleWork;
    private readonly Dictionary<int, StepWork> _measuredWork = [];

    public ModelCosts(ModelDemand demand)
    {
        Demand = demand;
        var shape = demand.Shape;
        var layers = shape.Layers.IsDefault ? [] : shape.Layers;
        Layers = Math.Min(layers.Length, Sane.MostLayers);
        Batch = Math.Clamp(demand.Batch, 1, 1 << 20);
        _weights = new long[Layers + 1];
        _kv = new long[Layers + 1];
        var tokens = Math.Max(0, demand.KvTokens);
        for (var i = 0; i < Layers; i++)
        {
            var layer = layers[i];
            // A window bounds what each of the batch's sessions keeps.
            var kept = layer.Window is { } window ? Math.Min(tokens, (long)Math.Max(0, window) * Batch) : tokens;
            _weights[i + 1] = _weights[i] + Sane.Bytes(layer.WeightBytes);
            _kv[i + 1] = _kv[i] + Sane.Bytes((double)Sane.Bytes(layer.KvBytesPerToken) * kept);
        }

        IsUniform = layers.Take(Layers).Distinct().Count() <= 1;
        _embedding = Sane.Bytes(shape.EmbeddingBytes);
        _head = Sane.Bytes(shape.HeadBytes);
        _bothEnds = shape.IsTied ? Math.Max(_embedding, _head) : _embedding + _head;
        _scratch = Sane.Bytes(shape.ScratchBytes);
        var sound = shape with { Layers = layers };
        _batchWork = new StepWork(sound, Batch, demand.Context);
        _singleWork = new StepWork(sound, 1, demand.Context);
    }

    public ModelDemand Demand { get; }

    public string Name => Demand.Shape.Name;

    public int Layers { get; }

    public int Batch { get; }

    /// <summary>Whether all layers are alike, so that a count of layers says what a range of them needs.</summary>
    public bool IsUniform { get; }

    public LayerRange Whole => new(0, Layers);

    /// <summary>Weights of the whole model on one node.</summary>
    public long WholeBytes => _weights[Layers] + _bothEnds;

    /// <summary>Weights of layers alone, as the shape stores them.</summary>
    public long LayerBytes(int start, int end) => _weights[end] - _weights[start];

    /// <summary>What a range takes on a node.</summary>
    public MemoryNeed Need(LayerRange range, double factor)
    {
        var layers = _weights[range.End] - _weights[range.Start];
        var weights = (factor == 1 ? layers : (long)Math.Ceiling(layers * factor)) + EndBytes(range);
        return new MemoryNeed(weights, weights + _kv[range.End] - _kv[range.Start] + _scratch);
    }

    /// <summary>Whether a node has room for a range.</summary>
    public bool Fits(NodeRoom room, LayerRange range)
    {
        var need = Need(range, room.Factor);
        return need.Weights <= room.WeightLimit && need.Total <= room.Memory;
    }

    /// <summary>
    /// How far a node gets that begins at <paramref name="start"/>: the greatest end, L only where the head fits too; start
    /// itself where not one layer fits. A later start never gets less far.
    /// </summary>
    public int FurthestEnd(NodeRoom room, int start)
    {
        var (low, high) = (start, Layers);
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            if (Fits(room, new LayerRange(start, middle)))
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    /// <summary>How many average layers fit, by the ends that a node has; not bounded by the model's number of layers.</summary>
    public LayerCapacity Capacity(NodeRoom room)
    {
        if (Layers == 0)
        {
            return default;
        }

        return new LayerCapacity(Count(0), Count(_embedding), Count(_head), Count(_bothEnds));

        int Count(long ends)
        {
            var weight = _weights[Layers] * room.Factor / Layers;
            var each = weight + ((double)_kv[Layers] / Layers);
            return (int)Math.Min(Share(room.WeightLimit - ends, weight), Share(room.Memory - _scratch - ends, each));
        }

        static double Share(long bytes, double each) =>
            bytes < 0 ? 0 : each > 0 ? Math.Min(1 << 24, Math.Floor(bytes / each)) : 1 << 24;
    }

    /// <summary>Weights that a node has to load to hold <paramref name="range"/> where it holds <paramref name="held"/>.</summary>
    public long LoadBytes(NodeRoom room, LayerRange? held, LayerRange range)
    {
        var layers = LayerBytes(range.Start, range.End);
        var ends = EndBytes(range);
        if (held is { } old)
        {
            var (start, end) = (Math.Max(old.Start, range.Start), Math.Min(old.End, range.End));
            layers -= start < end ? LayerBytes(start, end) : 0;
            ends -= SharedEnds(old, range);
        }

        return (room.Factor == 1 ? layers : (long)Math.Ceiling(layers * room.Factor)) + ends;
    }

    /// <summary>Milliseconds of a decode step of the demand's batch.</summary>
    public double BatchMilliseconds(NodeRoom room, LayerRange range) => Milliseconds(room, range, Batch, _batchWork);

    /// <summary>Milliseconds of a decode step of one session.</summary>
    public double SingleMilliseconds(NodeRoom room, LayerRange range) => Milliseconds(room, range, 1, _singleWork);

    /// <summary>Milliseconds of the LM head alone, of the demand's batch.</summary>
    public double HeadMilliseconds(NodeRoom room) =>
        _batchWork.HeadMilliseconds(room.Tflops, room.Bandwidth) * Correction(room, Batch);

    private long EndBytes(LayerRange range) =>
        range.Start == 0 ? range.End == Layers ? _bothEnds : _embedding : range.End == Layers ? _head : 0;

    /// <summary>Of the ends of a range, what a node has that holds another: tied ends are one table.</summary>
    private long SharedEnds(LayerRange held, LayerRange range)
    {
        var first = range.Start == 0 && held.Start == 0;
        var last = range.End == Layers && held.End == Layers;
        return first && last ? _bothEnds : first ? _embedding : last ? _head : 0;
    }

    private double Milliseconds(NodeRoom room, LayerRange range, int batch, StepWork work)
    {
        if (!room.Node.Measured.IsDefaultOrEmpty)
        {
            foreach (var step in room.Node.Measured)
            {
                if (step.Batch == batch && step.Range == range && step.Model == Name && step.Milliseconds > 0)
                {
                    return Sane.Work(step.Milliseconds);
                }
            }
        }

        return work.Milliseconds(range, room.Tflops, room.Bandwidth) * Correction(room, batch);
    }

    /// <summary>
    /// Measured over estimated time, of the measurement whose batch is nearest, then of the longest range: it carries over
    /// to other ranges layer by layer.
    /// </summary>
    private double Correction(NodeRoom room, int batch)
    {
        var measured = room.Node.Measured.IsDefault ? [] : room.Node.Measured;
        MeasuredStep? best = null;
        foreach (var step in measured)
        {
            if (step.Model == Name && step.Milliseconds > 0 && step.Batch >= 1 && IsRange(step.Range) && (best is null || Nearer(step, best)))
            {
                best = step;
            }
        }

        if (best is null)
        {
            return 1;
        }

        var estimate = WorkOf(best.Batch).Milliseconds(best.Range, room.Tflops, room.Bandwidth);
        return estimate > 0 ? Math.Clamp(best.Milliseconds / estimate, 1e-6, 1e6) : 1;

        bool Nearer(MeasuredStep one, MeasuredStep other)
        {
            var order = Math.Abs((long)one.Batch - batch).CompareTo(Math.Abs((long)other.Batch - batch));
            order = order != 0 ? order : other.Range.Count.CompareTo(one.Range.Count);
            order = order != 0 ? order : one.Range.Start.CompareTo(other.Range.Start);
            order = order != 0 ? order : one.Batch.CompareTo(other.Batch);
            return order != 0 ? order < 0 : one.Milliseconds < other.Milliseconds;
        }
    }

    private bool IsRange(LayerRange range) => range.Start >= 0 && range.Start < range.End && range.End <= Layers;

    private StepWork WorkOf(int batch)
    {
        if (batch == Batch)
        {
            return _batchWork;
        }

        if (batch == 1)
        {
            return _singleWork;
        }

        if (!_measuredWork.TryGetValue(batch, out var work))
        {
            var shape = Demand.Shape with { Layers = Demand.Shape.Layers.IsDefault ? [] : Demand.Shape.Layers };
            _measuredWork.Add(batch, work = new StepWork(shape, Math.Min(batch, 1 << 20), Demand.Context));
        }

        return work;
    }
}
