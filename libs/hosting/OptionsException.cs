using Parallax.Runtime;

namespace Parallax.Hosting;

/// <summary>Options that cannot be used; the message lists every one of them.</summary>
public sealed class OptionsException : ParallaxException
{
    /// <param name="errors">One sentence per invalid option; at least one.</param>
    public OptionsException(IReadOnlyList<string> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>One sentence per invalid option.</summary>
    public IReadOnlyList<string> Errors { get; }

    /// <summary>Throws when there are errors.</summary>
    public static void ThrowIfAny(IReadOnlyList<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if (errors.Count > 0)
        {
            throw new OptionsException(errors);
        }
    }
}
