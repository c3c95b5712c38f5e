using Parallax.Runtime.ChatTemplates.Library;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Syntax;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A variable: the template's own, else a value passed to the rendering, else a global function.</summary>
internal sealed class NameExpression(string name, Scope scope, int line) : Expression(line, 0)
{
    private readonly TemplateValue _undefined = TemplateValue.Undefined(new UndefinedOrigin(name, null));
    private SlotAddress[] _addresses = [];

    public override string Construct => $"name '{name}'";

    public string Name => name;

    /// <summary>Called once, when all scopes know their names: a macro may use a name that is set after it.</summary>
    public void Resolve() => _addresses = scope.Resolve(name);

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var frame = state.Frame;
        var hops = 0;
        foreach (var address in _addresses)
        {
            for (; hops < address.Hops; hops++)
            {
                frame = frame.Parent!;
            }

            var value = frame.Slots[address.Slot];
            if (!value.IsMissing)
            {
                return value;
            }
        }

        if (state.Values.TryGetValue(name, out var passed))
        {
            return passed.IsMissing ? _undefined : passed;
        }

        return Globals.TryGet(name, out var global) ? global : _undefined;
    }
}
