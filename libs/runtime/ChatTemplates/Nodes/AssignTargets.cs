using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>What a value is assigned to.</summary>
internal abstract class AssignTarget(int line) : Node(line, 0)
{
    public abstract void Assign(RenderState state, TemplateValue value);
}

/// <summary>A variable of the current frame.</summary>
internal sealed class NameTarget(string name, int slot, int line) : AssignTarget(line)
{
    public override string Construct => $"assignment to '{name}'";

    public override void Assign(RenderState state, TemplateValue value) => state.Frame.Slots[slot] = value;
}

/// <summary><c>ns.name</c>: only a namespace can be changed.</summary>
internal sealed class NamespaceTarget(NameExpression owner, string name, int line) : AssignTarget(line)
{
    public override string Construct => $"assignment to '{owner.Name}.{name}'";

    public override void Assign(RenderState state, TemplateValue value)
    {
        var target = owner.Evaluate(state);
        state.Current = this;
        if (target.Kind != ValueKind.Object || target.AsObject is not NamespaceValue names)
        {
            throw state.Fail($"'{owner.Name}' is not a namespace, so its attributes cannot be set");
        }

        state.AllocateItems(2);
        names.Set(name, value);
    }
}

/// <summary><c>a, b</c>: as many items as targets.</summary>
internal sealed class TupleTarget(AssignTarget[] targets, int line) : AssignTarget(line)
{
    public override string Construct => "unpacking";

    public override void Assign(RenderState state, TemplateValue value)
    {
        state.Current = this;
        var items = Sequences.Items(state, value);
        if (items.Length != targets.Length)
        {
            throw state.Fail($"{targets.Length} names cannot take {items.Length} values");
        }

        for (var i = 0; i < targets.Length; i++)
        {
            targets[i].Assign(state, items[i]);
        }
    }
}
