using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Parallax.Router.Api.Ids;

/// <summary>
/// A request's id: <c>chatcmpl-</c> and 32 characters of base64url, which hold a nonce and short checks of the body and
/// of body and API key. The checks find mistakes; what keeps answers apart are the digests that
/// <see cref="RequestClaim"/> derives from the id. Untrusted when it was parsed.
/// </summary>
internal sealed class RequestId : IEquatable<RequestId>
{
    public const int NonceLength = 12;
    public const int CheckLength = 6;

    private const string Prefix = "chatcmpl-";
    private const int Length = NonceLength + (2 * CheckLength); // a multiple of 3: no two texts for the same bytes

    private readonly byte[] _bytes;

    private RequestId(byte[] bytes) => _bytes = bytes;

    /// <summary>Characters of an id's text.</summary>
    public static int TextLength { get; } = Prefix.Length + (Length / 3 * 4);

    public ReadOnlySpan<byte> Bytes => _bytes;

    public ReadOnlySpan<byte> Nonce => _bytes.AsSpan(0, NonceLength);

    public ReadOnlySpan<byte> BodyCheck => _bytes.AsSpan(NonceLength, CheckLength);

    public ReadOnlySpan<byte> KeyCheck => _bytes.AsSpan(NonceLength + CheckLength);

    /// <summary>Puts an id together; see <see cref="RequestClaim.ToId(ReadOnlySpan{byte})"/>.</summary>
    public static RequestId Create(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> bodyCheck, ReadOnlySpan<byte> keyCheck)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(bodyCheck.Length, CheckLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(keyCheck.Length, CheckLength);
        return new RequestId([.. nonce, .. bodyCheck, .. keyCheck]);
    }

    /// <summary>Reads an id's text; false for anything that <see cref="ToString"/> does not write.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out RequestId? id)
    {
        id = null;
        return text.StartsWith(Prefix, StringComparison.Ordinal)
            && FixedBase64.TryDecode(text[Prefix.Length..], Length, out var bytes)
            && (id = new RequestId(bytes)) is not null;
    }

    public bool Equals(RequestId? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as RequestId);

    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    public override string ToString() => Prefix + Base64Url.EncodeToString(_bytes);
}
