using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>Statements in sequence.</summary>
internal sealed class Block(Statement[] statements)
{
    public int Depth { get; } = Node.DeepestOf(statements);

    public Flow Execute(RenderState state)
    {
        foreach (var statement in statements)
        {
            var flow = statement.Execute(state);
            if (flow != Flow.Normal)
            {
                return flow;
            }
        }

        return Flow.Normal;
    }

    /// <summary>Runs in a frame of its own and gives what was written, instead of writing it.</summary>
    public string Capture(RenderState state, Frame frame)
    {
        var (output, outer) = (state.Output, state.Frame);
        var buffer = state.Rent();
        (state.Output, state.Frame) = (buffer, frame);
        Execute(state);
        (state.Output, state.Frame) = (output, outer);
        return state.Return(buffer);
    }
}
