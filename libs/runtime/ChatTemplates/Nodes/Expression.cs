using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A node that has a value, never a missing one.</summary>
internal abstract class Expression(int line, int childDepth) : Node(line, childDepth)
{
    public abstract TemplateValue Evaluate(RenderState state);
}
