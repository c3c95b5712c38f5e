using System.Collections.Frozen;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The methods of Python's dict that change nothing; the others are absent, as in Jinja's sandbox.</summary>
internal static class MapMethods
{
    private static readonly Signature GetSignature = new("method 'get'", "key", "default?");

    private static readonly FrozenDictionary<string, MethodFunction> Methods = new Dictionary<string, MethodFunction>
    {
        ["copy"] = WithoutArguments("copy", self => self),
        ["get"] = Get,
        ["items"] = WithoutArguments("items", self => View(self, MapViewKind.Items)),
        ["keys"] = WithoutArguments("keys", self => View(self, MapViewKind.Keys)),
        ["values"] = WithoutArguments("values", self => View(self, MapViewKind.Values)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static MethodFunction? Find(string name) => Methods.GetValueOrDefault(name);

    private static TemplateValue Get(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var bound = arguments.Bind(state, GetSignature);
        Comparison.RequireKey(state, bound[0]);
        return self.AsMap.TryGet(bound[0], out var value) ? value
            : bound[1].IsMissing ? TemplateValue.None
            : bound[1];
    }

    private static MethodFunction WithoutArguments(string name, Func<TemplateValue, TemplateValue> body)
    {
        var signature = new Signature($"method '{name}'");
        return (state, self, arguments) =>
        {
            arguments.Bind(state, signature);
            state.Allocate(16);
            return body(self);
        };
    }

    private static TemplateValue View(TemplateValue self, MapViewKind kind) =>
        TemplateValue.Object(new MapView(self.AsMap, kind));
}
