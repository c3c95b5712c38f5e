using Microsoft.Extensions.Time.Testing;
using Parallax.ModelFiles.Shapes;
using Parallax.Runtime.Cpu;

namespace Parallax.UnitTests.Cpu;

public sealed class DeviceProbeTests
{
    [Fact]
    public void Measure_EveryRoundAMillisecond_DividesTheWorkByIt()
    {
        var clock = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) };

        var device = DeviceProbe.Measure(2, memoryBytes: 12345, clock);

        Assert.Equal(2.0 * 32 * 2048 * 2048 / 1e-3 / 1e12, device.Tflops, 6);
        var bytes = DeviceProbe.BufferBytes(MachineId.LargestCache(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        Assert.Equal(bytes / 1e-3 / 1e9, device.BandwidthGBps, 6);
        Assert.Equal(("cpu", 12345L, 2), (device.Kind, device.MemoryBytes, device.Threads));
        Assert.Matches("^[0-9a-f]{16}$", device.FailureDomain);
        Assert.Equal(device.FailureDomain, MachineId.FailureDomain());
        Assert.Contains("2 threads", device.Description, StringComparison.Ordinal);

        var wire = device.ToWire("here");
        Assert.Equal((device.Tflops, device.BandwidthGBps, device.MemoryBytes, "here"), (wire.Tflops, wire.BandwidthGbps, wire.MemoryBytes, wire.Region));
    }

    [Theory]
    [InlineData(null, 64)]
    [InlineData(1, 64)]
    [InlineData(48, 96)]
    [InlineData(400, 256)]
    public void BufferBytes_AnyCache_IsLargerWithinLimits(int? cache, int expected)
    {
        Assert.Equal((long)expected << 20, DeviceProbe.BufferBytes(cache is { } size ? (long)size << 20 : null, 64L << 30));
        Assert.Equal(32L << 20, DeviceProbe.BufferBytes(cache is { } same ? (long)same << 20 : null, 256L << 20));
    }

    [Theory]
    [InlineData("32768K\n", 32768L << 10)]
    [InlineData("2M", 2L << 20)]
    [InlineData("77", 77L)]
    [InlineData("", null)]
    [InlineData("K", null)]
    [InlineData("-3K", null)]
    public void BytesOf_AsTheSystemWritesThem(string text, long? expected) => Assert.Equal(expected, MachineId.BytesOf(text));

    [Fact]
    public void NameIn_Cpuinfo_IsTheModelName()
    {
        Assert.Equal("AMD EPYC 7B13", MachineId.NameIn(["processor\t: 0", "model name\t: AMD EPYC 7B13", "model name\t: other"]));
        Assert.Null(MachineId.NameIn(["processor\t: 0", "BogoMIPS\t: 50.00"]));
    }
}
