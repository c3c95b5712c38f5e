using System.Diagnostics;
using System.Reflection;
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

    /// <summary>Without the shared copy, for shards that are freed one by one.</summary>
    internal IComputeBackend PlainBackend => _backend!;

    public static JsonDocument Read(string name) => JsonDocument.Parse(File.ReadAllBytes(PathOf(name)));

    public static string PathOf(string name) => TestData.PathOf("models", "smollm2", name);

    /// <summary>Also skips where kernels were compiled without optimisation: there these tests take minutes, not seconds.</summary>
    public static void SkipWhenAbsent(params string[] names)
    {
        var debugging = typeof(ModelShard).Assembly.GetCustomAttribute<DebuggableAttribute>();
        Assert.SkipWhen(debugging is { IsJITOptimizerDisabled: true }, "the runtime was compiled without optimisation: run with -c Release");
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
