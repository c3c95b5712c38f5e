namespace Parallax.Cli.Chaos.Traffic;

/// <summary>Tokens came to a client.</summary>
/// <param name="Before">When the ones before came, as a timestamp; null for the first of an answer.</param>
/// <param name="At">When these came.</param>
/// <param name="Tokens">How many.</param>
internal readonly record struct Arrival(long? Before, long At, int Tokens);
