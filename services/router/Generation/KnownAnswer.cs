using System.Collections.Immutable;
using Parallax.Router.Api;
using Parallax.Router.Api.Ids;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Router.Generation;

/// <summary>What is known of a choice's answer before a session goes on with it. Pure.</summary>
/// <param name="Ids">Its first ids.</param>
/// <param name="Finish">How it ends, if that is all of it: no session is needed; null otherwise.</param>
/// <param name="Term">The term at which a session for the rest is to be opened.</param>
internal sealed record KnownAnswer(ImmutableArray<int> Ids, string? Finish, long Term)
{
    /// <summary>A new answer.</summary>
    public static KnownAnswer None { get; } = new([], null, Term: 1);

    /// <summary>Whether it is all there.</summary>
    public bool IsComplete => Finish is not null;

    /// <summary>From what a head holds to where a session goes on.</summary>
    /// <param name="held">What a head holds; null: nothing is left.</param>
    /// <param name="from">How much of the choice the client has.</param>
    /// <param name="sampling">Of the answer.</param>
    /// <param name="numerics">The class that it is generated in.</param>
    /// <param name="age">How long ago the request was first admitted.</param>
    /// <exception cref="ApiException">What the client has would not come out again (409).</exception>
    public static KnownAnswer Of(HeldAnswer? held, ChoiceProgress from, SamplingParameters sampling, NumericClass numerics, TimeSpan age)
    {
        var (ids, finish) = UpToItsEnd(held?.Ids ?? [], sampling);
        if (ids.Length <= from.LastIndex && !IsExact(numerics))
        {
            throw ApiException.NotResumable(
                $"The client has {from.LastIndex + 1} tokens of choice {sampling.ChoiceIndex}, the workers still hold {ids.Length}, and the numeric class {numerics.Fingerprint} "
                + "does not give the same ones again. What has been sent stands; send the request without 'Last-Event-ID' for a new answer.");
        }

        if (sampling.TopLogProbs is not null && ids.Length > from.LastIndex + 1)
        {
            // Heads hold log-probabilities for a moment only: what the client lacks is computed again.
            (ids, finish) = (ids[..(from.LastIndex + 1)], null);
        }

        // Above what any head said, and, where none is left to ask, above what an earlier attempt can have taken.
        var term = Math.Max(held?.Epoch.Term ?? 1, 1 + Math.Max(0, (long)age.TotalMilliseconds)) + 1;
        return new KnownAnswer(ids, finish, term);
    }

    /// <summary>Whether a class gives the same tokens whenever and wherever they are generated.</summary>
    private static bool IsExact(NumericClass numerics) => numerics is { Backend: "cpu", Links: LinkPrecision.Exact };

    private static (ImmutableArray<int> Ids, string? Finish) UpToItsEnd(ImmutableArray<int> ids, SamplingParameters sampling)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            if (sampling.StopTokenIds.Contains(ids[i]))
            {
                return (ids[..(i + 1)], "stop");
            }

            if (i + 1 == sampling.MaxTokens)
            {
                return (ids[..(i + 1)], "length");
            }
        }

        return (ids, null);
    }
}
