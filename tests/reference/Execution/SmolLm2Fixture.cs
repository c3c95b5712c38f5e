using System.Text.Json;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Testing.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>SmolLM2, opened once; all chains share one packed copy of its weights and are freed together.</summary>
public sealed class SmolLm2Fixture : IDisposable
{
    private static readonly string ModelPath = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");

    private readonly List<ShardChain> _chains = [];
    private readonly IComputeBackend? _backend;
    private readonly SharedWeightsBackend? _shared;
    private readonly ModelSource? _model;

    public SmolLm2Fixture()
    {
        if (TestData.MissingReason(ModelPath) is null)
        {
            _model = ModelSource.Open(ModelPath);
            _backend = CpuBackend.Create(new CpuBackendOptions { Threads = Math.Min(2, Environment.ProcessorCount) });
            _shared = new SharedWeightsBackend(_backend);
        }
    }

    internal ModelSource Model => _model!;

    internal IComputeBackend Backend => _shared!;

    public static JsonDocument Read(string name) => JsonDocument.Parse(File.ReadAllBytes(PathOf(name)));

    public static string PathOf(string name) => TestData.PathOf("models", "smollm2", name);

    public static void SkipWhenAbsent(params string[] names)
    {
        foreach (var path in names.Select(PathOf).Prepend(ModelPath))
        {
            Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        }
    }

    internal ShardChain Load(ShardChainOptions options)
    {
        var chain = ShardChain.Load(Model, Backend, options);
        _chains.Add(chain);
        return chain;
    }

    public void Dispose()
    {
        foreach (var chain in _chains)
        {
            chain.Dispose();
        }

        _backend?.Dispose();
        _model?.Dispose();
    }
}
