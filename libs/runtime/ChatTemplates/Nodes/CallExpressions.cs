using Parallax.Runtime.ChatTemplates.Library;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>The arguments of a call as written.</summary>
internal sealed class ArgumentList(
    Expression[] positional, KeyValuePair<string, Expression>[] named, Expression? extraPositional, Expression? extraNamed)
{
    public static ArgumentList Empty { get; } = new([], [], null, null);

    public int Depth { get; } = Node.DeepestOf([.. positional, .. named.Select(pair => pair.Value), extraPositional, extraNamed]);

    public CallArguments Evaluate(RenderState state)
    {
        var values = positional.Length == 0 ? [] : new TemplateValue[positional.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = positional[i].Evaluate(state);
        }

        var names = named.Length == 0 ? [] : new NamedArgument[named.Length];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = new NamedArgument(named[i].Key, named[i].Value.Evaluate(state));
        }

        if (extraPositional is not null)
        {
            var extra = Sequences.Items(state, extraPositional.Evaluate(state));
            state.AllocateItems(extra.Length);
            values = [.. values, .. extra];
        }

        return extraNamed is null
            ? new CallArguments(values, names)
            : new CallArguments(values, [.. names, .. Spread(state, extraNamed.Evaluate(state))]);
    }

    private static IEnumerable<NamedArgument> Spread(RenderState state, TemplateValue value)
    {
        if (value.Kind != ValueKind.Map)
        {
            throw state.Fail("'**' needs a mapping");
        }

        state.AllocateItems(value.AsMap.Count);
        for (var i = 0; i < value.AsMap.Count; i++)
        {
            var (key, argument) = value.AsMap[i];
            yield return key.IsText ? new NamedArgument(key.AsText, argument) : throw state.Fail("'**' needs texts as keys");
        }
    }
}

/// <summary><c>a(...)</c>, <c>a.method(...)</c>.</summary>
internal sealed class CallExpression(Expression callee, ArgumentList arguments, int line)
    : Expression(line, Math.Max(callee.Depth, arguments.Depth))
{
    public override string Construct => callee switch
    {
        NameExpression name => $"call of '{name.Name}'",
        AttributeExpression attribute => $"call of '.{attribute.Name}'",
        _ => "call",
    };

    public override TemplateValue Evaluate(RenderState state) => Evaluate(state, null);

    /// <summary>With the body of a call block as one more argument.</summary>
    public TemplateValue Evaluate(RenderState state, NamedArgument? caller)
    {
        state.Step(this);
        TemplateValue target;
        if (callee is AttributeExpression attribute)
        {
            // Methods of plain values are called without making a function object of them first.
            var owner = attribute.Owner.Evaluate(state);
            if (Lookup.Method(owner, attribute.Name) is { } method)
            {
                var direct = Arguments(state, caller);
                return method(state, owner, direct);
            }

            state.Current = this;
            target = Lookup.Attribute(state, owner, attribute.Name);
        }
        else
        {
            target = callee.Evaluate(state);
        }

        var values = Arguments(state, caller);
        Comparison.ThrowIfUndefined(state, target);
        return target.Kind == ValueKind.Object
            ? target.AsObject.Call(state, values)
            : throw state.Fail($"'{target.TypeName}' cannot be called");
    }

    private CallArguments Arguments(RenderState state, NamedArgument? caller)
    {
        var values = arguments.Evaluate(state);
        state.Current = this;
        return caller is { } block ? new CallArguments(values.Positional, [.. values.Named, block]) : values;
    }
}

/// <summary><c>| name(...)</c> without its input: also what filter blocks and set blocks apply.</summary>
internal sealed class FilterCall(string name, FilterFunction? function, ArgumentList arguments, int line)
    : Node(line, arguments.Depth)
{
    public override string Construct => $"filter '{name}'";

    public TemplateValue Apply(RenderState state, TemplateValue input)
    {
        state.Step(this);
        var values = arguments.Evaluate(state);
        state.Current = this;
        return function is null ? throw state.Fail("this filter is not supported") : function(state, input, values);
    }
}

/// <summary><c>a | name(...)</c>.</summary>
internal sealed class FilterExpression(Expression input, FilterCall filter, int line)
    : Expression(line, Math.Max(input.Depth, filter.Depth))
{
    public override string Construct => filter.Construct;

    public override TemplateValue Evaluate(RenderState state) => filter.Apply(state, input.Evaluate(state));
}

/// <summary><c>a is name(...)</c>.</summary>
internal sealed class TestExpression(Expression input, string name, TestFunction? function, ArgumentList arguments, int line)
    : Expression(line, Math.Max(input.Depth, arguments.Depth))
{
    public override string Construct => $"test '{name}'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var value = input.Evaluate(state);
        var values = arguments.Evaluate(state);
        state.Current = this;
        return TemplateValue.From(function is null ? throw state.Fail("this test is not supported") : function(state, value, values));
    }
}
