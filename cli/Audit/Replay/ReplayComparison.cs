using System.Collections.Immutable;
using System.Globalization;
using Parallax.Audit.Chain;

namespace Parallax.Cli.Audit.Replay;

/// <summary>Compares an answer that was generated again with what was recorded. Pure.</summary>
internal static class ReplayComparison
{
    /// <summary>The first difference of a choice, for people; null where there is none.</summary>
    /// <param name="recorded">The request.</param>
    /// <param name="choice">Which choice.</param>
    /// <param name="replayed">Its tokens, generated again.</param>
    /// <param name="hashKey">The key of hashes; empty where they are plain.</param>
    public static string? Difference(RecordedRequest recorded, int choice, ImmutableArray<int> replayed, ReadOnlySpan<byte> hashKey)
    {
        (int Place, string What)? first = null;
        foreach (var one in recorded.Emitted.Where(one => one.Tokens.Choice == choice))
        {
            if (DifferenceIn(one, replayed, hashKey) is { } found && (first is null || found.Place < first.Value.Place))
            {
                first = found;
            }
        }

        return first is { } difference ? string.Create(CultureInfo.InvariantCulture, $"choice {choice}, token {difference.Place}: {difference.What}") : null;
    }

    private static (int Place, string What)? DifferenceIn(RecordedTokens one, ImmutableArray<int> replayed, ReadOnlySpan<byte> hashKey)
    {
        var tokens = one.Tokens;
        var where = string.Create(CultureInfo.InvariantCulture, $"event {one.Number} of {one.Stream}");
        if (tokens.Ids is { } ids)
        {
            for (var i = 0; i < ids.Length; i++)
            {
                var place = tokens.First + i;
                if (place >= replayed.Length)
                {
                    return (place, string.Create(CultureInfo.InvariantCulture, $"recorded {ids[i]} ({where}), and the replay had ended"));
                }

                if (replayed[place] != ids[i])
                {
                    return (place, string.Create(CultureInfo.InvariantCulture, $"recorded {ids[i]} ({where}), replayed {replayed[place]}"));
                }
            }

            return ids.Length == tokens.Count ? null : (tokens.First, string.Create(CultureInfo.InvariantCulture, $"{where} has {ids.Length} ids for {tokens.Count} tokens"));
        }

        if (replayed.Length < (long)tokens.First + tokens.Count)
        {
            return (replayed.Length, string.Create(CultureInfo.InvariantCulture, $"the replay had ended, and tokens up to {tokens.First + tokens.Count - 1} were recorded ({where})"));
        }

        return ContentHash.Of(replayed.AsSpan(tokens.First, tokens.Count), hashKey) == tokens.Hash
            ? null
            : (tokens.First, string.Create(CultureInfo.InvariantCulture, $"it, or one of the {tokens.Count - 1} behind it, does not have the recorded hash ({where})"));
    }
}
