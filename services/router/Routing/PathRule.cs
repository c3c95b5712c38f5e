namespace Parallax.Router.Routing;

/// <summary>By what a path is chosen among those that have room.</summary>
public enum PathRule
{
    /// <summary>By the time that it is predicted to take, cached prompts included; where no speeds are known, as <see cref="LeastLoaded"/>.</summary>
    Cheapest,

    /// <summary>By the fewest stages, then by sessions relative to room: neither speeds nor cached prompts count.</summary>
    LeastLoaded,

    /// <summary>By the fewest stages, then by chance.</summary>
    Random,
}

/// <summary>Rules as they stand on command lines.</summary>
internal static class PathRules
{
    /// <summary>The names.</summary>
    public static readonly string[] Words = ["cheapest", "least-loaded", "random"];

    /// <summary>The rule of a name; null for any other text.</summary>
    public static PathRule? Parse(string text) => Array.IndexOf(Words, text) is >= 0 and var rule ? (PathRule)rule : null;
}
