using System.Text.Json;
using Parallax.Testing.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>Greedy decoding against a reference that states the margin of each step.</summary>
internal static class Greedy
{
    /// <summary>Decodes one token a step, feeding back our own choice, until it differs from the reference.</summary>
    /// <param name="chain">The model.</param>
    /// <param name="session">Prefilled with the prompt.</param>
    /// <param name="item">greedy_ids and greedy_margin.</param>
    /// <param name="relative">The margin below which a step is not sure, as a fraction of the step's largest logit.</param>
    /// <returns>Steps that agree, and steps before the first one that is not sure.</returns>
    public static (int Agreed, int Sure) Decode(ShardChain chain, ChainSession session, JsonElement item, double relative)
    {
        var ids = item.Ints("greedy_ids");
        var margins = item.Floats("greedy_margin");
        var agreed = 0;
        var sure = -1;
        for (; agreed < ids.Length; agreed++)
        {
            var logits = session.Logits[session.Position - 1];
            if (sure < 0 && margins[agreed] < relative * GoldenModel.Largest(logits))
            {
                sure = agreed;
            }

            if (GoldenModel.ArgMax(logits) != ids[agreed])
            {
                // Steps behind a difference have another context; the margin of this one has been seen.
                return (agreed, sure < 0 ? agreed + 1 : sure);
            }

            session.Tokens.Add(ids[agreed]);
            chain.Step((session, 1));
        }

        return (agreed, sure < 0 ? agreed : sure);
    }
}
