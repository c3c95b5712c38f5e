using System.Diagnostics;

namespace Parallax.Runtime.Cpu;

/// <summary>
/// A fixed set of threads for one backend. Tasks of a job are claimed one by one; the caller takes
/// part. Workers spin for at most 50 us between jobs and then block, and do not spin when there are more threads than
/// processors, or after <see cref="Rest"/>. One caller at a time; nothing is allocated per job.
/// </summary>
internal sealed class CpuThreadPool : IDisposable
{
    private const double SpinMicroseconds = 50;

    private readonly Thread[] _workers;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly SemaphoreSlim _idle = new(0);
    private readonly long _spinTicks;
    private CpuWork? _work;
    private int _tasks;
    private int _next;
    private int _active;
    private int _blocked;
    private int _callerWaits;
    private volatile bool _open;
    private volatile int _generation;
    private volatile int _restedAt; // the generation after which nobody spins
    private volatile bool _stopping;
    private Exception? _failure;

    /// <param name="threads">Threads in all, the caller included; at least 1.</param>
    public CpuThreadPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _spinTicks = threads > Environment.ProcessorCount ? 0 : (long)(SpinMicroseconds * Stopwatch.Frequency / 1e6);
        _workers = new Thread[threads - 1];
        for (var i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"parallax-cpu-{i + 1}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads in all, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Executes tasks [0, tasks) of the work, on any thread and in any order; returns when all are done.</summary>
    public void Run(int tasks, CpuWork work)
    {
        if (tasks <= 1 || _workers.Length == 0)
        {
            for (var i = 0; i < tasks; i++)
            {
                work.Execute(i);
            }

            return;
        }

        // Fields are written while the job is closed: a worker that counts itself active now sees _open == false and
        // leaves without reading them.
        _work = work;
        _tasks = tasks;
        _next = 0;
        _failure = null;
        _open = true;
        _generation++;
        Interlocked.MemoryBarrier();
        var sleepers = Volatile.Read(ref _blocked);
        if (sleepers > 0)
        {
            _wake.Release(Math.Min(sleepers, tasks - 1));
        }

        Claim();
        _open = false;
        Interlocked.MemoryBarrier();
        AwaitIdle();
        if (_failure is { } failure)
        {
            throw new InvalidOperationException("a compute thread failed", failure);
        }
    }

    /// <summary>No job follows at once: workers that spin block now. The next job wakes them.</summary>
    public void Rest() => _restedAt = _generation;

    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _wake.Release(Threads);
        foreach (var worker in _workers)
        {
            worker.Join();
        }

        _wake.Dispose();
        _idle.Dispose();
    }

    private void Claim()
    {
        var tasks = _tasks;
        var work = _work!;
        try
        {
            int index;
            while ((index = Interlocked.Increment(ref _next) - 1) < tasks)
            {
                work.Execute(index);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The caller rethrows; the remaining tasks are abandoned.
            Interlocked.Exchange(ref _next, tasks);
            _failure = e;
        }
    }

    private void Work()
    {
        var seen = 0;
        while (!_stopping)
        {
            if (_generation == seen && !Await(seen))
            {
                continue;
            }

            seen = _generation;
            Interlocked.Increment(ref _active);
            if (_open)
            {
                Claim();
            }

            if (Interlocked.Decrement(ref _active) == 0 && Interlocked.Exchange(ref _callerWaits, 0) == 1)
            {
                _idle.Release();
            }
        }
    }

    /// <summary>The caller's wait until no worker is in the job: spins, then blocks.</summary>
    private void AwaitIdle()
    {
        var until = Stopwatch.GetTimestamp() + _spinTicks;
        while (Volatile.Read(ref _active) != 0)
        {
            if (Stopwatch.GetTimestamp() < until)
            {
                Thread.SpinWait(1);
                continue;
            }

            // Whoever takes the flag back decides: this thread, and nothing was released, or the last worker, which
            // then releases once.
            Interlocked.Exchange(ref _callerWaits, 1);
            if (Volatile.Read(ref _active) != 0 || Interlocked.Exchange(ref _callerWaits, 0) == 0)
            {
                _idle.Wait();
            }
        }
    }

    /// <summary>Waits for another generation than <paramref name="seen"/>: spins, then blocks; false after a stale wake-up.</summary>
    private bool Await(int seen)
    {
        if (_spinTicks > 0)
        {
            var until = Stopwatch.GetTimestamp() + _spinTicks;
            do
            {
                for (var i = 0; i < 16; i++)
                {
                    if (_generation != seen)
                    {
                        return true;
                    }

                    Thread.SpinWait(1);
                }
            }
            while (_restedAt != seen && Stopwatch.GetTimestamp() < until);
        }

        Interlocked.Increment(ref _blocked);
        if (_generation == seen && !_stopping)
        {
            _wake.Wait();
        }

        Interlocked.Decrement(ref _blocked);
        return _generation != seen;
    }
}
