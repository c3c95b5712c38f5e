using System.Globalization;

namespace Parallax.PipelineBenchmark.Load;

/// <summary>
/// Questions for clients: distinct for each client and round and the same in every configuration, so that each does the
/// same work and the answers can be compared.
/// </summary>
internal static class Prompts
{
    private static readonly string[] Things =
        ["a river", "the moon", "a clock", "bread", "a bridge", "the sea", "a garden", "winter", "a train", "music", "a letter", "glass", "the wind", "a market", "salt", "a lantern"];

    private static readonly string[] Words =
        ["time", "water", "people", "house", "light", "night", "world", "hand", "stone", "green", "small", "road", "white", "long", "good", "year"];

    /// <summary>One question for each client of a round; round -1 is the one that does not count.</summary>
    public static IReadOnlyList<string> Questions(int clients, int round) =>
        [.. Enumerable.Range(0, clients).Select(client => string.Create(
            CultureInfo.InvariantCulture, $"Tell me a story about {Things[(client + (7 * (round + 1))) % Things.Length]} and the number {(100 * (round + 2)) + client}."))];

    /// <summary>A text of about <paramref name="tokens"/> tokens: common words, which are mostly one token each.</summary>
    public static string Long(int tokens, int seed)
    {
        var random = new Random(seed);
        return string.Join(' ', Enumerable.Range(0, tokens).Select(_ => Words[random.Next(Words.Length)]));
    }
}
