using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Syntax;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>{% for target in iterable if condition recursive %} ... {% else %} ... {% endfor %}</c>.</summary>
internal sealed class ForStatement(ForStatement.Parts parts, int line)
    : Statement(line, Math.Max(
        DeepestOf([parts.Iterable, parts.Filter?.Condition]), Math.Max(parts.Body.Depth, parts.Else?.Depth ?? 0)))
{
    public override string Construct => "tag 'for'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        var source = parts.Iterable.Evaluate(state);
        return Run(state, source, 0);
    }

    /// <summary>loop(items) of a recursive loop: runs the body over other items and gives its text.</summary>
    public string Recurse(RenderState state, Frame outer, TemplateValue source, int depth)
    {
        var (output, frame) = (state.Output, state.Frame);
        var buffer = state.Rent();
        state.Enter(Depth);
        (state.Output, state.Frame) = (buffer, outer);
        Run(state, source, depth);
        (state.Output, state.Frame) = (output, frame);
        state.Leave(Depth);
        return state.Return(buffer);
    }

    /// <summary>Whether an item passes the loop's condition, which sees the item but not the loop.</summary>
    public bool Passes(RenderState state, Frame outer, TemplateValue item)
    {
        var (frame, current) = (state.Frame, state.Current);
        state.Frame = new Frame(parts.Filter!.Scope.SlotCount, outer);
        parts.Filter.Target.Assign(state, item);
        var passes = Truth.Of(parts.Filter.Condition.Evaluate(state));
        (state.Frame, state.Current) = (frame, current);
        return passes;
    }

    private Flow Run(RenderState state, TemplateValue source, int depth)
    {
        state.Current = this;
        var outer = state.Frame;
        var loop = new LoopValue(this, outer, Sequences.Items(state, source), parts.Filter is not null, parts.IsRecursive, depth);
        var loopValue = TemplateValue.Object(loop);
        state.Allocate(64);
        Frame? frame = null;
        while (loop.TryAdvance(state, out var item))
        {
            state.Step(this);
            frame = NextFrame(state, frame, outer);
            state.Frame = frame;
            frame.Slots[parts.LoopSlot] = loopValue;
            parts.Target.Assign(state, item);
            if (parts.Body.Execute(state) == Flow.Break)
            {
                break;
            }
        }

        state.Frame = outer;
        if (frame is not null || parts.Else is null)
        {
            return Flow.Normal;
        }

        state.Frame = new Frame(parts.ElseScope!.SlotCount, outer);
        var flow = parts.Else.Execute(state);
        state.Frame = outer;
        return flow;
    }

    /// <summary>Every iteration starts with fresh variables; the frame itself is new only if something may hold it.</summary>
    private Frame NextFrame(RenderState state, Frame? frame, Frame outer)
    {
        if (frame is null || parts.Scope.IsCaptured)
        {
            state.AllocateItems(parts.Scope.SlotCount);
            return new Frame(parts.Scope.SlotCount, outer);
        }

        frame.Slots.AsSpan().Clear();
        return frame;
    }

    internal sealed record Parts
    {
        public required Expression Iterable { get; init; }

        public required AssignTarget Target { get; init; }

        public required Scope Scope { get; init; }

        public required int LoopSlot { get; init; }

        public required Block Body { get; init; }

        public LoopFilter? Filter { get; init; }

        public Block? Else { get; init; }

        public Scope? ElseScope { get; init; }

        public bool IsRecursive { get; init; }
    }

    /// <summary>The <c>if</c> behind a loop's iterable, with a scope that knows the item.</summary>
    internal sealed record LoopFilter(Expression Condition, AssignTarget Target, Scope Scope);
}
