namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>The parameters of a filter, function or method, in order.</summary>
internal sealed class Signature
{
    /// <param name="owner">The callable's name, for errors.</param>
    /// <param name="parameters">Names; one with a trailing '?' may be left out.</param>
    public Signature(string owner, params string[] parameters)
    {
        Owner = owner;
        Names = [.. parameters.Select(name => name.TrimEnd('?'))];
        Required = parameters.Count(name => !name.EndsWith('?'));
    }

    public string Owner { get; }

    public string[] Names { get; }

    public int Required { get; }
}
