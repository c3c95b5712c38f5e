using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Parallax.Router.Access.Keys;

/// <summary>
/// The secret of an API key: 256 random bits, shown once to whoever creates it. Only its SHA-256 is kept anywhere; with so many
/// bits nobody can guess their way from the hash to the secret, so that no slow hash is needed. Pure.
/// </summary>
internal static class ApiKeySecret
{
    /// <summary>Begins every secret, so that people and scanners of repositories know what they have found.</summary>
    public const string Prefix = "plx-sk-";

    /// <summary>Random bytes in it.</summary>
    public const int RandomBytes = 32;

    /// <summary>A longer text than this is no secret, and is not hashed.</summary>
    public const int MaxLength = 128;

    /// <param name="random"><see cref="RandomBytes"/> random bytes.</param>
    public static string Create(ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(random.Length, RandomBytes, nameof(random));
        return Prefix + Base64Url.EncodeToString(random);
    }

    /// <summary>What is kept of it: SHA-256 of its text, lower-case hex.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
