using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The methods of Python's list and tuple that change nothing; the others say why they are refused.</summary>
internal static class ListMethods
{
    private static readonly Signature CountSignature = new("method 'count'", "value");
    private static readonly Signature IndexSignature = new("method 'index'", "value", "start?", "stop?");
    private static readonly Signature CopySignature = new("method 'copy'");

    public static MethodFunction? Find(string name, ValueKind kind) => name switch
    {
        "count" => Count,
        "index" => Index,
        "copy" when kind == ValueKind.List => Copy,
        "append" or "clear" or "extend" or "insert" or "pop" or "remove" or "reverse" or "sort" when kind == ValueKind.List =>
            (state, _, _) => throw state.Fail($"a template may not change a list (method '{name}')"),
        _ => null,
    };

    private static TemplateValue Count(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var value = arguments.Bind(state, CountSignature)[0];
        var count = 0;
        foreach (var item in self.AsArray)
        {
            state.Charge(1);
            count += Comparison.Equal(state, item, value) ? 1 : 0;
        }

        return TemplateValue.From(count);
    }

    private static TemplateValue Index(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var bound = arguments.Bind(state, IndexSignature);
        var items = self.AsArray;
        var start = Arguments.Integer(state, IndexSignature, bound, 1, 0);
        var stop = Arguments.Integer(state, IndexSignature, bound, 2, items.Length);
        start = Math.Max(start < 0 ? start + items.Length : start, 0);
        stop = Math.Min(stop < 0 ? stop + items.Length : stop, items.Length);
        for (var i = start; i < stop; i++)
        {
            state.Charge(1);
            if (Comparison.Equal(state, items[i], bound[0]))
            {
                return TemplateValue.From(i);
            }
        }

        throw state.Fail("method 'index' did not find the value");
    }

    private static TemplateValue Copy(RenderState state, TemplateValue self, CallArguments arguments)
    {
        arguments.Bind(state, CopySignature);
        return self;
    }
}
