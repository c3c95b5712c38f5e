using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Syntax;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A whole parsed template.</summary>
internal sealed class TemplateBody(Block block, Scope scope)
{
    public int Depth => block.Depth;

    public string Render(RenderState state)
    {
        state.Frame = new Frame(scope.SlotCount, null);
        state.Enter(block.Depth);
        block.Execute(state);
        return state.Output.ToString();
    }
}
