using Parallax.Runtime.ChatTemplates.Syntax;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A macro as written; also the body of a call block, which has no name.</summary>
internal sealed record MacroDefinition
{
    public string? Name { get; init; }

    public required Parameter[] Parameters { get; init; }

    public required Block Body { get; init; }

    public required Scope Scope { get; init; }

    /// <summary>Slots of the special names, where the body uses them.</summary>
    public int? CallerSlot { get; init; }

    public int? PositionalSlot { get; init; }

    public int? NamedSlot { get; init; }

    public int Depth => 1 + Math.Max(Body.Depth, Node.DeepestOf(Parameters.Select(parameter => parameter.Default)));

    internal sealed record Parameter(string Name, int Slot, Expression? Default);
}
