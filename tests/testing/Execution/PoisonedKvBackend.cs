using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Testing.Execution;

/// <summary>KV blocks that begin full of undefined numbers, as reused blocks may be: what was not written must not be read.</summary>
internal sealed unsafe class PoisonedKvBackend(IComputeBackend inner) : DelegatingBackend(inner)
{
    public override DeviceKv AllocateKv(AttentionSpec attention, int blocks, ResidualPrecision precision)
    {
        var kv = (CpuKv)Inner.AllocateKv(attention, blocks, precision);
        new Span<byte>(kv.Keys(0, 0), checked((int)(blocks * kv.BlockBytes))).Fill(0xFF);
        return kv;
    }
}
