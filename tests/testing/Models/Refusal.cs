using Parallax.Runtime.Weights;

namespace Parallax.Testing.Models;

/// <summary>Tests of input that must be refused.</summary>
public static class Refusal
{
    /// <summary>
    /// Runs code that must throw <see cref="ModelFormatException"/> and nothing else.
    /// </summary>
    /// <param name="act">The code; a result that can be disposed is.</param>
    /// <param name="mentions">What the message must hold.</param>
    public static void Of(Func<object?> act, params string[] mentions)
    {
        ArgumentNullException.ThrowIfNull(act);
        ArgumentNullException.ThrowIfNull(mentions);
        try
        {
            (act() as IDisposable)?.Dispose();
        }
        catch (ModelFormatException e)
        {
            foreach (var mention in mentions)
            {
                if (!e.Message.Contains(mention, StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"the message does not mention \"{mention}\": {e.Message}");
                }
            }

            return;
        }

        throw new InvalidOperationException($"nothing was refused; expected a message with: {string.Join(", ", mentions)}");
    }
}
