using Parallax.Hosting;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Devices;

namespace Parallax.UnitTests.Worker;

public class WorkerOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreValid()
    {
        Assert.Empty(new WorkerOptions { Model = AppContext.BaseDirectory }.Validate());
    }

    [Fact]
    public void Validate_EverythingWrong_ListsEverything()
    {
        var errors = new WorkerOptions
        {
            Model = "no/such/model",
            Device = "tpu",
            ContextLimit = 0,
            Threads = -1,
            MaxBatch = 0,
            Bind = "localhost",
            Port = 65536,
            DrainTime = TimeSpan.FromSeconds(-1),
        }.Validate();

        Assert.Equal(
            ["--model", "--device", "--ctx", "--threads", "--max-batch", "--bind", "--port", "--drain"],
            errors.Select(static e => e.Split(':')[0]));
    }

    [Fact]
    public void Require_Cuda_SaysWhatIsMissing()
    {
        WorkerDevice.Require("cpu");
        Assert.Contains("TorchSharp", Assert.Throws<DeviceUnavailableException>(() => WorkerDevice.Require("cuda")).Message, StringComparison.Ordinal);
    }
}
