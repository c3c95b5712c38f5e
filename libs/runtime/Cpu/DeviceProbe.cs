using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu;

/// <summary>
/// Measures what this machine's processor can do: about 200 ms, in which nothing else should run. The best of several
/// rounds counts, because whatever disturbs a round makes it slower. Figures are of this program's own kernels and
/// threads: what a shard gets, not what the processor's maker promises.
/// </summary>
public static class DeviceProbe
{
    private const int Rows = 32;
    private const int Extent = 2048;
    private const long LeastBuffer = 64L << 20;
    private const long MostBuffer = 256L << 20;
    private const long CacheWhereUnknown = 32L << 20;
    private static readonly TimeSpan RoundsTime = TimeSpan.FromMilliseconds(70);

    /// <summary>Measures. Blocks.</summary>
    /// <param name="threads">Compute threads of the worker; 0 takes one per processor.</param>
    /// <param name="memoryBytes">Bytes that the worker may use, where somebody said so; null takes 80 % of what this process may use.</param>
    /// <param name="clock">Measures time.</param>
    public static DeviceFigures Measure(int threads, long? memoryBytes, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        ArgumentNullException.ThrowIfNull(clock);
        var count = threads == 0 ? Environment.ProcessorCount : threads;
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = count });
        return new DeviceFigures
        {
            Kind = backend.Family,
            Description = $"{MachineId.Processor()} ({backend.Description})",
            MemoryBytes = memoryBytes ?? (available / 10 * 8),
            Tflops = MatrixProduct(backend, clock) / 1e12,
            BandwidthGBps = MemoryRead(count, BufferBytes(MachineId.LargestCache(), available), clock) / 1e9,
            Threads = count,
            FailureDomain = MachineId.FailureDomain(),
        };
    }

    /// <summary>
    /// Twice the largest cache, so that little of a round is still there in the next, within 64 to 256 MiB and an eighth
    /// of what there is.
    /// </summary>
    internal static long BufferBytes(long? cache, long available) =>
        Math.Max(1L << 20, Math.Min(Math.Clamp(2 * (cache ?? CacheWhereUnknown), LeastBuffer, MostBuffer), available / 8));

    /// <summary>Operations a second.</summary>
    private static unsafe double MatrixProduct(IComputeBackend backend, TimeProvider clock)
    {
        using var source = new CpuBuffer(2L * Extent * Extent);
        new Span<ushort>(source.Data, Extent * Extent).Fill(0x3C01); // a small number: sums stay ordinary
        using var matrix = backend.LoadMatrix(new WeightTensor("probe", TensorFormat.BF16, Extent, Extent, source.Data));
        using var input = backend.AllocateTensor(Extent);
        using var output = backend.AllocateTensor(Extent);
        var values = new float[Rows * Extent];
        Array.Fill(values, 0.01f);
        input.Resize(Rows);
        input.Upload(values);
        var best = BestRound(() => backend.Linear(input, [matrix], null, output), clock);
        backend.Rest();
        return 2.0 * Rows * Extent * Extent / best.TotalSeconds;
    }

    /// <summary>Bytes a second.</summary>
    private static double MemoryRead(int threads, long bytes, TimeProvider clock)
    {
        using var pool = new CpuThreadPool(threads);
        using var buffer = new CpuBuffer(bytes);
        var tasks = threads * 4;
        pool.Run(tasks, new MemoryFillWork(buffer, tasks));
        var work = new MemoryReadWork(buffer, tasks);
        var best = BestRound(() => pool.Run(tasks, work), clock);
        return work.Sum == 0 ? throw new InvalidOperationException("the memory that was written reads as zeros") : bytes / best.TotalSeconds;
    }

    private static TimeSpan BestRound(Action round, TimeProvider clock)
    {
        round(); // compiles, wakes threads
        var start = clock.GetTimestamp();
        var best = TimeSpan.MaxValue;
        do
        {
            var from = clock.GetTimestamp();
            round();
            var took = clock.GetElapsedTime(from);
            best = took < best ? took : best;
        }
        while (clock.GetElapsedTime(start) < RoundsTime);
        return best > TimeSpan.Zero ? best : TimeSpan.FromTicks(1);
    }
}
