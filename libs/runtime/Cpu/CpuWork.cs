namespace Parallax.Runtime.Cpu;

/// <summary>A job for <see cref="CpuThreadPool"/>: independent tasks by index. Objects are reused from job to job.</summary>
internal abstract class CpuWork
{
    /// <summary>Does task <paramref name="task"/>; called on any thread, tasks in any order.</summary>
    public abstract void Execute(int task);
}
