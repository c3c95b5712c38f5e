using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Values beyond Python's plain types: ranges, views, generators, namespaces, loops, macros, functions.</summary>
internal abstract class TemplateObject
{
    public abstract string TypeName { get; }

    public virtual bool IsCallable => false;

    public virtual bool IsIterable => false;

    /// <summary>Whether it can be indexed by position, as the test <c>sequence</c> asks.</summary>
    public virtual bool IsSequence => false;

    /// <summary>What len() gives, or null where Python raises a TypeError.</summary>
    public virtual int? Length => null;

    /// <summary>What repr() gives, where it does not depend on other values.</summary>
    public virtual string Display => $"<{TypeName} object>";

    public virtual void WriteTo(RenderState state, TextBuffer buffer) => buffer.Write(state, Display);

    /// <summary>The items that iteration gives; only called when <see cref="IsIterable"/>.</summary>
    public virtual TemplateValue[] Items(RenderState state) =>
        throw state.Fail($"'{TypeName}' cannot be iterated");

    /// <summary>An attribute, or a missing value.</summary>
    public virtual TemplateValue GetAttribute(RenderState state, string name) => default;

    public virtual TemplateValue Call(RenderState state, CallArguments arguments) =>
        throw state.Fail($"'{TypeName}' cannot be called");
}
