using Parallax.Pipeline.Stages;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Testing.Models;
using Parallax.Testing.Pipeline;

namespace Parallax.IntegrationTests.Transport;

/// <summary>
/// Stages whose journals have no memory to speak of, in a ring whose stages give their blocks back and have to be sent
/// everything again: the rows come out of the files.
/// </summary>
public sealed class JournalSpillRingTests : IDisposable
{
    private readonly IComputeBackend _backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
    private readonly ModelFolder _folder = new();
    private readonly string _spillFolder = Directory.CreateTempSubdirectory("parallax-spill-").FullName;

    public void Dispose()
    {
        _folder.Dispose();
        _backend.Dispose();
        Directory.Delete(_spillFolder, recursive: true);
    }

    [Fact]
    public void Run_RowsComeOutOfTheFile_GiveTheBitsOfTheWholeModel()
    {
        // Rows of 4 KiB, so that a session has many chunks.
        new TinyModel { Architecture = "llama", Layers = 3, Hidden = 2048, Vocabulary = 211 }.WriteHub(_folder);
        using var source = ModelSource.Open(_folder.Path);
        var random = new Random(7);
        var sessions = Enumerable.Range(0, 8).Select(i => (
            Prompt: Enumerable.Range(0, 60 + random.Next(120)).Select(_ => random.Next(200)).ToArray(),
            Sampling: new SamplingParameters { MaxTokens = 12, Temperature = 1, Seed = (ulong)i })).ToArray();
        var check = new PipelineCheck(source, _backend, ResidualPrecision.BF16, sessions)
        {
            KvTokens = 448,
            Options = new StageEngineOptions
            {
                Executor = new ExecutorOptions { MaxBatch = 8, TokenBudget = 64, MixedPrefillTokens = 16, MaxSessions = 16 },
                WindowRows = 64,
                JournalBytes = 1 << 20,
                JournalSpillFolder = _spillFolder,
            },
        };

        var (written, read, preemptions) = (0L, 0L, 0);
        for (var seed = 1; seed <= 4; seed++)
        {
            Assert.Null(check.Difference([1, 2], seed, faults: seed * 5));
            (written, read, preemptions) = (written + check.Spilled.Written, read + check.Spilled.Read, preemptions + check.Preemptions);
        }

        Assert.True(written > 0 && read > 0, $"{written} bytes written, {read} read back, {preemptions} sessions gave blocks back");
        Assert.Empty(Directory.EnumerateFiles(_spillFolder));
    }
}
