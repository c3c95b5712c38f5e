using Parallax.Runtime.Execution;

namespace Parallax.Benchmarks.Cpu;

/// <summary>Inputs of kernels.</summary>
internal static class Activations
{
    /// <summary>Values in [-1, 1), [rows, columns].</summary>
    public static DeviceTensor Random(IComputeBackend backend, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        var tensor = backend.AllocateTensor(columns);
        tensor.Resize(rows);
        tensor.Upload(values);
        return tensor;
    }

    /// <summary>One session of so many rows, from position 0, in consecutive blocks.</summary>
    public static StepBatch Batch(int rows) => Batch(rows, startPosition: 0);

    /// <summary>One session of so many rows from a position on.</summary>
    public static StepBatch Batch(int rows, int startPosition)
    {
        var blocks = (startPosition + rows + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens;
        var batch = new StepBatch();
        batch.Add(new int[rows], startPosition, [[.. Enumerable.Range(0, blocks)]], wantLastLogits: false);
        return batch;
    }
}
