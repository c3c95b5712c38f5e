using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Cpu;

/// <summary>A parameter vector in f32, zero beyond its length up to a multiple of 16.</summary>
internal sealed unsafe class CpuVector(int length) : DeviceVector(length)
{
    private readonly CpuBuffer _buffer = new(Math.Max(16, CpuTensor.Pad(length)) * sizeof(float));

    public float* Data => (float*)_buffer.Data;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _buffer.Dispose();
        }
    }
}
