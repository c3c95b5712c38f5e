namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>Bounds on a template's source; real templates stay below a tenth of each.</summary>
internal static class ParseLimits
{
    /// <summary>Length of the source in UTF-16 units.</summary>
    public const int MaxSourceLength = 1 << 20;

    /// <summary>Nesting of tags, brackets and prefix operators in the source.</summary>
    public const int MaxNesting = 100;

    /// <summary>Levels of the syntax tree: nesting, and chains such as <c>a.b.c</c> or <c>a|f|g</c>.</summary>
    public const int MaxTreeDepth = 250;
}
