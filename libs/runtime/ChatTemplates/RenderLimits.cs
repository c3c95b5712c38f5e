namespace Parallax.Runtime.ChatTemplates;

/// <summary>
/// Bounds on one rendering. A template is untrusted input: whatever it does, rendering ends within these, with a
/// <see cref="ChatTemplateException"/> of <see cref="ChatTemplateFault.Limit"/> if they do not suffice.
/// </summary>
public sealed record RenderLimits
{
    /// <summary>The defaults: far above what real templates need for the longest conversations.</summary>
    public static RenderLimits Default { get; } = new();

    /// <summary>Evaluated nodes, visited items and (per 32) scanned characters.</summary>
    public long MaxSteps { get; init; } = 2_000_000;

    /// <summary>Nesting of evaluation: the depth of the syntax tree, added up over macro calls, and of nested values.</summary>
    public int MaxDepth { get; init; } = 1_000;

    /// <summary>Length of the rendered text in UTF-16 units.</summary>
    public int MaxOutputLength { get; init; } = 16 << 20;

    /// <summary>
    /// All that is built on the way, added up over the rendering: characters of intermediate texts, and 12 per item
    /// of intermediate lists, tuples and mappings.
    /// </summary>
    public long MaxIntermediateSize { get; init; } = 64 << 20;
}
