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
            Layers = new Parallax.Contracts.Identifiers.LayerRange(4, 4),
            KvTokens = 1,
            MemoryBytes = 0,
            Id = "",
            Bind = "localhost",
            Port = 65536,
            DrainTime = TimeSpan.FromSeconds(-1),
        }.Validate();

        Assert.Equal(
            ["--model", "--layers", "--device", "--ctx", "--threads", "--max-batch", "--kv-tokens", "--memory", "--id", "--bind", "--port", "--drain"],
            errors.Select(static e => e.Split(':')[0]));
    }

    [Fact]
    public void Validate_NoModel_NeedsNoneAndTakesNone()
    {
        Assert.Empty(new WorkerOptions { NoModel = true }.Validate());
        Assert.Contains("--no-model", Assert.Single(new WorkerOptions().Validate()), StringComparison.Ordinal);
        Assert.StartsWith("--no-model", Assert.Single(new WorkerOptions { NoModel = true, Model = AppContext.BaseDirectory }.Validate()), StringComparison.Ordinal);
    }

    [Fact]
    public void Id_NotNamed_IsDrawn()
    {
        Assert.Matches("^w-[0-9a-f]{8}$", new WorkerOptions().Id);
        Assert.NotEqual(new WorkerOptions().Id, new WorkerOptions().Id);
    }

    [Fact]
    public void Require_Cuda_SaysWhatIsMissing()
    {
        WorkerDevice.Require("cpu");
        Assert.Contains("TorchSharp", Assert.Throws<DeviceUnavailableException>(() => WorkerDevice.Require("cuda")).Message, StringComparison.Ordinal);
    }
}
