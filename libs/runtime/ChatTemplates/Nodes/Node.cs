namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A node of the syntax tree. Immutable after parsing; all that changes is in the render state.</summary>
internal abstract class Node(int line, int childDepth)
{
    /// <summary>Line of the source, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>Levels of the tree at and below this node: how deep its evaluation recurses, macro calls apart.</summary>
    public int Depth { get; } = childDepth + 1;

    /// <summary>What errors call this node.</summary>
    public abstract string Construct { get; }

    public static int DeepestOf(IEnumerable<Node?> nodes) => nodes.Max(node => (int?)node?.Depth) ?? 0;
}
