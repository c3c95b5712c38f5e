using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A node that writes or sets something.</summary>
internal abstract class Statement(int line, int childDepth) : Node(line, childDepth)
{
    public abstract Flow Execute(RenderState state);
}
