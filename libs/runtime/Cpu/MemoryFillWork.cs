using System.Runtime.InteropServices;

namespace Parallax.Runtime.Cpu;

/// <summary>Writes a buffer, so that every page of it is memory of its own: each task a part.</summary>
internal sealed unsafe class MemoryFillWork(CpuBuffer buffer, int tasks) : CpuWork
{
    public override void Execute(int task)
    {
        var part = (nuint)(buffer.Bytes / tasks);
        NativeMemory.Fill(buffer.Data + ((nuint)task * part), part, 0x3D);
    }
}
