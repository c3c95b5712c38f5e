namespace Parallax.Runtime.Cpu;

/// <summary>How the CPU backend runs.</summary>
public sealed class CpuBackendOptions
{
    /// <summary>Threads, the executor's own included; 0 takes one per processor.</summary>
    public int Threads { get; set; }

    /// <summary>Instruction set; tests choose narrower ones.</summary>
    public VectorWidth Width { get; set; } = VectorWidth.Best;
}
