using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>What an Open asks a worker for.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="WeightsHash">Its weights; empty for any.</param>
/// <param name="NumericClass">The numeric class; null for any.</param>
/// <param name="Range">The layers of its stage; null for all.</param>
internal sealed record ShardQuery(string Model, string WeightsHash, NumericClass? NumericClass, LayerRange? Range);
