using Parallax.Runtime.ChatTemplates.Nodes;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>The variable <c>loop</c>. A loop's condition is asked as late as possible: it may depend on the body.</summary>
internal sealed class LoopValue(
    ForStatement statement, Frame outer, TemplateValue[] items, bool isFiltered, bool isRecursive, int depth) : TemplateObject
{
    private TemplateValue[] _items = items;
    private bool _isFiltered = isFiltered;
    private int _position;
    private long _index = -1;
    private long? _length;
    private TemplateValue _before;
    private TemplateValue _current;
    private TemplateValue _after;
    private TemplateValue[]? _lastChanged;

    public override string TypeName => "LoopContext";

    public override bool IsCallable => isRecursive;

    public bool TryAdvance(RenderState state, out TemplateValue item)
    {
        item = Peek(state);
        _after = default;
        if (item.IsMissing)
        {
            return false;
        }

        _index++;
        _before = _current;
        _current = item;
        return true;
    }

    public override TemplateValue GetAttribute(RenderState state, string name) => name switch
    {
        "index" => TemplateValue.From(_index + 1),
        "index0" => TemplateValue.From(_index),
        "first" => TemplateValue.From(_index == 0),
        "last" => TemplateValue.From(Peek(state).IsMissing),
        "length" => TemplateValue.From(CountAll(state)),
        "revindex" => TemplateValue.From(CountAll(state) - _index),
        "revindex0" => TemplateValue.From(CountAll(state) - _index - 1),
        "depth" => TemplateValue.From(depth + 1),
        "depth0" => TemplateValue.From(depth),
        "previtem" => OrUndefined(_index > 0 ? _before : default, "there is no previous item"),
        "nextitem" => OrUndefined(Peek(state), "there is no next item"),
        "cycle" => TemplateValue.Object(new FunctionValue("cycle", Cycle)),
        "changed" => TemplateValue.Object(new FunctionValue("changed", Changed)),
        _ => default,
    };

    public override TemplateValue Call(RenderState state, CallArguments arguments)
    {
        if (!isRecursive)
        {
            throw state.Fail("only a loop marked 'recursive' can be called");
        }

        if (arguments.Positional is not [var source] || arguments.Named.Length > 0)
        {
            throw state.Fail("a recursive loop takes one argument");
        }

        return TemplateValue.From(statement.Recurse(state, outer, source, depth + 1));
    }

    private static TemplateValue OrUndefined(TemplateValue value, string hint) =>
        value.IsMissing ? TemplateValue.Undefined(UndefinedOrigin.Hint(hint)) : value;

    private TemplateValue Peek(RenderState state)
    {
        while (_after.IsMissing && _position < _items.Length)
        {
            state.Charge(1);
            var candidate = _items[_position++];
            if (!_isFiltered || statement.Passes(state, outer, candidate))
            {
                _after = candidate;
            }
        }

        return _after;
    }

    private long CountAll(RenderState state)
    {
        if (_length is { } known)
        {
            return known;
        }

        if (!_isFiltered)
        {
            _length = _items.Length;
            return _items.Length;
        }

        // Asking for the length settles the condition for all the rest.
        var rest = new List<TemplateValue>();
        state.AllocateItems(_items.Length - _position + 1);
        for (var next = Peek(state); !next.IsMissing; next = Peek(state))
        {
            rest.Add(next);
            _after = default;
        }

        (_items, _position, _isFiltered) = ([.. rest], 0, false);
        _length = _index + 1 + rest.Count;
        return _length.Value;
    }

    private TemplateValue Cycle(RenderState state, CallArguments arguments) =>
        arguments.Positional.Length == 0
            ? throw state.Fail("there are no items to cycle through")
            : arguments.Positional[_index % arguments.Positional.Length];

    private TemplateValue Changed(RenderState state, CallArguments arguments)
    {
        var values = arguments.Positional;
        var same = _lastChanged is not null
            && Comparison.Equal(state, TemplateValue.Tuple(_lastChanged), TemplateValue.Tuple(values));
        _lastChanged = values;
        return TemplateValue.From(!same);
    }
}
