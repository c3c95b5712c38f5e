using Parallax.Runtime.ChatTemplates.Nodes;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>A macro together with the variables around its definition.</summary>
internal sealed class MacroValue(MacroDefinition definition, Frame closure) : TemplateObject
{
    private const string CallerName = "caller";

    public override string TypeName => "Macro";

    public override bool IsCallable => true;

    public override string Display => definition.Name is null ? "<Macro anonymous>" : $"<Macro '{definition.Name}'>";

    private string Label => definition.Name is null ? "the call block" : $"macro '{definition.Name}'";

    public override TemplateValue GetAttribute(RenderState state, string name) => name switch
    {
        "name" => definition.Name is null ? TemplateValue.None : TemplateValue.From(definition.Name),
        "arguments" => TemplateValue.Tuple([.. definition.Parameters.Select(parameter => TemplateValue.From(parameter.Name))]),
        "catch_kwargs" => TemplateValue.From(definition.NamedSlot is not null),
        "catch_varargs" => TemplateValue.From(definition.PositionalSlot is not null),
        "caller" => TemplateValue.From(definition.CallerSlot is not null),
        _ => default,
    };

    public override TemplateValue Call(RenderState state, CallArguments arguments)
    {
        var frame = new Frame(definition.Scope.SlotCount, closure);
        state.AllocateItems(definition.Scope.SlotCount);
        state.Enter(definition.Depth);
        BindArguments(state, frame, arguments);
        SetDefaults(state, frame);
        var text = definition.Body.Capture(state, frame);
        state.Leave(definition.Depth);
        return TemplateValue.From(text);
    }

    private void BindArguments(RenderState state, Frame frame, CallArguments arguments)
    {
        var parameters = definition.Parameters;
        var positional = arguments.Positional;
        for (var i = 0; i < Math.Min(parameters.Length, positional.Length); i++)
        {
            frame.Slots[parameters[i].Slot] = positional[i];
        }

        if (definition.PositionalSlot is { } rest)
        {
            frame.Slots[rest] = TemplateValue.Tuple(positional[Math.Min(parameters.Length, positional.Length)..]);
        }
        else if (positional.Length > parameters.Length)
        {
            throw state.Fail($"{Label} takes at most {parameters.Length} arguments, got {positional.Length}");
        }

        var extra = definition.NamedSlot is null ? null : new MapValue();
        foreach (var argument in arguments.Named)
        {
            BindNamed(state, frame, argument, extra);
        }

        if (definition.NamedSlot is { } named)
        {
            frame.Slots[named] = TemplateValue.Map(extra!);
        }
    }

    private void BindNamed(RenderState state, Frame frame, NamedArgument argument, MapValue? extra)
    {
        var parameter = Array.Find(definition.Parameters, candidate => candidate.Name == argument.Name);
        if (parameter is not null && frame.Slots[parameter.Slot].IsMissing)
        {
            frame.Slots[parameter.Slot] = argument.Value;
        }
        else if (parameter is null && argument.Name == CallerName && definition.CallerSlot is { } caller)
        {
            frame.Slots[caller] = argument.Value;
        }
        else if (extra is not null)
        {
            state.AllocateItems(2);
            extra.Set(TemplateValue.From(argument.Name), argument.Value);
        }
        else
        {
            throw state.Fail(parameter is null
                ? $"{Label} has no parameter '{argument.Name}'"
                : $"{Label} got two values for '{argument.Name}'");
        }
    }

    /// <summary>Defaults are evaluated at each call and see the parameters before them.</summary>
    private void SetDefaults(RenderState state, Frame frame)
    {
        var outer = state.Frame;
        state.Frame = frame;
        foreach (var parameter in definition.Parameters)
        {
            if (frame.Slots[parameter.Slot].IsMissing)
            {
                frame.Slots[parameter.Slot] = parameter.Default?.Evaluate(state)
                    ?? TemplateValue.Undefined(UndefinedOrigin.Hint($"the parameter '{parameter.Name}' was not given"));
            }
        }

        if (definition.CallerSlot is { } caller && frame.Slots[caller].IsMissing)
        {
            frame.Slots[caller] = TemplateValue.Undefined(UndefinedOrigin.Hint("there is no caller: the macro was not called by a call block"));
        }

        state.Frame = outer;
    }
}
