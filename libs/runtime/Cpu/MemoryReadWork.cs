using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Parallax.Runtime.Cpu;

/// <summary>Reads memory as fast as it comes: each task a part of a buffer, sixteen lanes at a time.</summary>
internal sealed unsafe class MemoryReadWork(CpuBuffer buffer, int tasks) : CpuWork
{
    private const int Step = 8 * 32; // bytes of eight 256-bit vectors

    private readonly ulong[] _sums = new ulong[tasks];

    /// <summary>What was read, added up, so that reading cannot be left out.</summary>
    public ulong Sum => _sums.Aggregate(0UL, static (sum, value) => unchecked(sum + value));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Execute(int task)
    {
        var part = buffer.Bytes / tasks / Step * Step;
        var data = buffer.Data + (task * part);
        var end = data + part;
        Vector256<ulong> a = default, b = default, c = default, d = default;
        for (; data < end; data += Step)
        {
            a += Vector256.Load((ulong*)data) + Vector256.Load((ulong*)(data + 32));
            b += Vector256.Load((ulong*)(data + 64)) + Vector256.Load((ulong*)(data + 96));
            c += Vector256.Load((ulong*)(data + 128)) + Vector256.Load((ulong*)(data + 160));
            d += Vector256.Load((ulong*)(data + 192)) + Vector256.Load((ulong*)(data + 224));
        }

        _sums[task] = Vector256.Sum(a + b + c + d);
    }
}
