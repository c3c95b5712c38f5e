using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>What keys(), values() and items() of a mapping give.</summary>
internal sealed class MapView(MapValue map, MapViewKind kind) : TemplateObject
{
    public override string TypeName => kind switch
    {
        MapViewKind.Keys => "dict_keys",
        MapViewKind.Values => "dict_values",
        _ => "dict_items",
    };

    public override bool IsIterable => true;

    public override int? Length => map.Count;

    public override void WriteTo(RenderState state, TextBuffer buffer)
    {
        buffer.Write(state, TypeName);
        buffer.Write(state, "(");
        PythonText.WriteRepr(state, buffer, TemplateValue.List(Items(state)));
        buffer.Write(state, ")");
    }

    public override TemplateValue[] Items(RenderState state)
    {
        var items = state.NewArray(map.Count);
        for (var i = 0; i < items.Length; i++)
        {
            var (key, value) = map[i];
            if (kind == MapViewKind.Items)
            {
                var pair = state.NewArray(2);
                (pair[0], pair[1]) = (key, value);
                items[i] = TemplateValue.Tuple(pair);
            }
            else
            {
                items[i] = kind == MapViewKind.Keys ? key : value;
            }
        }

        return items;
    }
}
