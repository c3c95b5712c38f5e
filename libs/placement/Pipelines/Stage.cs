using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;

namespace Parallax.Placement.Pipelines;

/// <summary>A node in a pipeline, with its layers.</summary>
internal readonly record struct Stage(NodeRoom Room, LayerRange Range);
