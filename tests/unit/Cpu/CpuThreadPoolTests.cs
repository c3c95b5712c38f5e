using Parallax.Runtime.Cpu;
using Parallax.Runtime.Weights;
using Parallax.Testing.Execution;
using Parallax.UnitTests.Cpu.Kernels;

namespace Parallax.UnitTests.Cpu;

public sealed class CpuThreadPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    public void Run_ManyTasks_DoesEachOnce(int threads)
    {
        using var pool = new CpuThreadPool(threads);
        Assert.Equal(threads, pool.Threads);
        foreach (var tasks in (int[])[0, 1, 2, 15, 1000])
        {
            var work = new CountingWork(tasks);
            pool.Run(tasks, work);
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManySmallJobs_LosesNone(int threads)
    {
        // Jobs follow each other so closely that workers of one job meet the next.
        using var pool = new CpuThreadPool(threads);
        var work = new CountingWork(7);
        for (var job = 1; job <= 20_000 / threads; job++)
        {
            pool.Run(2 + (job % 6), work);
        }

        var jobs = 20_000 / threads;
        for (var task = 0; task < 7; task++)
        {
            var expected = Enumerable.Range(1, jobs).Count(job => 2 + (job % 6) > task);
            Assert.Equal(expected, work.Counts[task]);
        }
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(4, 1)]
    [InlineData(4, 100)]
    public void Run_TaskThrows_CallerLearnsOfItAndPoolGoesOn(int threads, int tasks)
    {
        using var pool = new CpuThreadPool(threads);
        for (var i = 0; i < 50; i++)
        {
            var error = Assert.ThrowsAny<Exception>(() => pool.Run(tasks, new FailingWork(tasks / 2)));
            Assert.Equal("task failed on purpose", (error.InnerException ?? error).Message);
            var work = new CountingWork(20);
            pool.Run(20, work);
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Run_AfterAJob_KeepsWhatTasksWrote()
    {
        // What any thread wrote must be visible to the caller without further synchronisation.
        using var pool = new CpuThreadPool(4);
        var work = new WritingWork(4096);
        for (var round = 1; round <= 200; round++)
        {
            work.Round = round;
            pool.Run(work.Values.Length / 64, work);
            Assert.Equal((long)round * work.Values.Length, work.Values.Sum());
        }
    }

    [Fact]
    public void Dispose_Twice_EndsItsThreads()
    {
        var pool = new CpuThreadPool(4);
        var work = new CountingWork(100);
        pool.Run(100, work);
        pool.Dispose();
        pool.Dispose();
        Assert.All(work.Counts, count => Assert.Equal(1, count));
    }

    [Fact]
    public void Dispose_UsedOrNot_ReturnsWhetherThreadsSpinOrSleep()
    {
        for (var i = 0; i < 40; i++)
        {
            using var pool = new CpuThreadPool(1 + (i % 5));
            if (i % 2 == 0)
            {
                pool.Run(10, new CountingWork(10));
            }
        }
    }

    [Fact]
    public void Constructor_NoThreads_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CpuThreadPool(0));

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Kernels_WithMoreThreads_GiveTheBitsOfOne(int threads)
    {
        using var one = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var many = CpuBackend.Create(new CpuBackendOptions { Threads = threads });
        IKernelCase[] cases =
        [
            new LinearCase([TensorFormat.F32], [1000], 300, 19, 1, Bias: true, LinearCase.Kind.Store),
            new LinearCase([TensorFormat.BF16, TensorFormat.F16], [333, 500], 64, 1, 2, Bias: false, LinearCase.Kind.Store),
            new LinearCase([TensorFormat.Q4_1], [777], 512, 40, 3, Bias: true, LinearCase.Kind.AddRound),
            new LinearCase([TensorFormat.Q6_K], [400], 512, 3, 4, Bias: false, LinearCase.Kind.Add),
            new NormCase(70, 576, TensorFormat.F32, 1e-5f, 5),
            new SwiGluCase(50, 1000, 6),
            new AttentionCase { HeadDim = 64, KvHeads = 3, Group = 3, Length = 140, First = 139 },
            new AttentionCase { HeadDim = 16, KvHeads = 1, Group = 1, Length = 140, First = 100, Window = 33 },
            new MoeCase(TensorFormat.Q8_0, 40, 256, 160, 8, 2, Normalize: true, Round: true, Twins: false, 7),
        ];
        foreach (var item in cases)
        {
            Assert.Null(Bits.Difference(item.Run(one), item.Run(many)));
        }
    }

    private sealed class CountingWork(int tasks) : CpuWork
    {
        public int[] Counts { get; } = new int[tasks];

        public override void Execute(int task) => Interlocked.Increment(ref Counts[task]);
    }

    private sealed class WritingWork(int count) : CpuWork
    {
        public int Round { get; set; }

        public long[] Values { get; } = new long[count];

        public override void Execute(int task) => Values.AsSpan(task * 64, 64).Fill(Round);
    }

    private sealed class FailingWork(int failing) : CpuWork
    {
        public override void Execute(int task)
        {
            if (task == failing)
            {
                throw new InvalidOperationException("task failed on purpose");
            }
        }
    }
}
