using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using Parallax.Contracts.Identifiers;

namespace Parallax.Identity.Tokens;

/// <summary>
/// A signed capability: whoever shows it may become a member of a swarm with these roles. Any member can verify it with the
/// swarm's public key; the joiner trusts only the peer that it pins. Its text is <c>plx1_</c> and 168 base64url digits:
/// <code>version 1 | swarm 20 | pinned peer 20 | roles 1 | expiry, Unix seconds 8 | id 8 | signature 64 | CRC-32C 4</code>
/// bytes, big-endian. The signature covers what stands before it; the checksum tells a mistyped token from a forged one.
/// </summary>
public sealed class JoinToken
{
    /// <summary>What every token begins with.</summary>
    public const string Prefix = "plx1_";

    private const byte Version = 1;
    private const int SignedSize = 1 + (2 * PeerId.Size) + 1 + 8 + TokenId.Size;
    private const int SignatureSize = 64;
    private const int TotalSize = SignedSize + SignatureSize + 4;
    private const int TextLength = TotalSize / 3 * 4;

    private readonly byte[] _bytes;

    private JoinToken(byte[] bytes)
    {
        _bytes = bytes;
        Swarm = new PeerId(bytes.AsSpan(1, PeerId.Size));
        Bootstrap = new PeerId(bytes.AsSpan(1 + PeerId.Size, PeerId.Size));
        Roles = (MemberRoles)bytes[1 + (2 * PeerId.Size)];
        Expires = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(2 + (2 * PeerId.Size))));
        Id = TokenId.Read(bytes.AsSpan(10 + (2 * PeerId.Size)));
    }

    /// <summary>The id of the swarm's key.</summary>
    public PeerId Swarm { get; }

    /// <summary>The only peer that the joiner shall show the token to.</summary>
    public PeerId Bootstrap { get; }

    /// <summary>What the member will be allowed to do.</summary>
    public MemberRoles Roles { get; }

    /// <summary>Nobody joins with it from here on; who has joined stays.</summary>
    public DateTimeOffset Expires { get; }

    /// <summary>By which it is revoked.</summary>
    public TokenId Id { get; }

    /// <summary>Signs a token.</summary>
    /// <param name="swarmKey">The swarm's key.</param>
    /// <param name="bootstrap">The peer that the token is to be shown to.</param>
    /// <param name="roles">What the member will be allowed to do.</param>
    /// <param name="expires">Cut to whole seconds.</param>
    /// <param name="id">A fresh id.</param>
    public static JoinToken Sign(PeerKey swarmKey, PeerId bootstrap, MemberRoles roles, DateTimeOffset expires, TokenId id)
    {
        ArgumentNullException.ThrowIfNull(swarmKey);
        var bytes = new byte[TotalSize];
        bytes[0] = Version;
        swarmKey.Id.CopyTo(bytes.AsSpan(1));
        bootstrap.CopyTo(bytes.AsSpan(1 + PeerId.Size));
        bytes[1 + (2 * PeerId.Size)] = (byte)roles;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(2 + (2 * PeerId.Size)), expires.ToUnixTimeSeconds());
        id.CopyTo(bytes.AsSpan(10 + (2 * PeerId.Size)));
        swarmKey.Sign(SignedBytes.Token(bytes.AsSpan(0, SignedSize))).CopyTo(bytes, SignedSize);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(TotalSize - 4), Checksum(bytes));
        return new JoinToken(bytes);
    }

    /// <summary>Reads a token; blanks around it do not matter. Whether it is genuine, <see cref="IsSignedBy"/> tells.</summary>
    /// <exception cref="JoinTokenException">The text is no token, or not the one that was issued.</exception>
    public static JoinToken Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.Trim();
        if (!trimmed.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw new JoinTokenException($"This is no join token: one begins with {Prefix}. Copy all of it, from the line that 'parallax token create' printed.");
        }

        var digits = trimmed.AsSpan(Prefix.Length);
        if (digits.Length != TextLength)
        {
            throw new JoinTokenException(string.Create(
                CultureInfo.InvariantCulture,
                $"The join token is {(digits.Length < TextLength ? "cut short" : "too long")}: it has {TextLength} characters after {Prefix}, and these are {digits.Length}. Copy all of it and nothing else."));
        }

        var bytes = new byte[TotalSize];
        if (digits.ContainsAnyExcept(Digits)
            || !Base64Url.TryDecodeFromChars(digits, bytes, out var written) || written != TotalSize
            || BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(TotalSize - 4)) != Checksum(bytes))
        {
            throw new JoinTokenException("The join token is mistyped: its checksum does not match. Copy it again.");
        }

        if (bytes[0] != Version)
        {
            throw new JoinTokenException($"The join token is of version {bytes[0]}; this program knows version {Version}. Use the same program on all machines.");
        }

        if ((bytes[1 + (2 * PeerId.Size)] & ~(int)MemberRolesText.All) != 0
            || BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(2 + (2 * PeerId.Size))) is < 0 or > LastSecond)
        {
            throw new JoinTokenException("The join token grants what this program does not know. Use the same program on all machines.");
        }

        return new JoinToken(bytes);
    }

    /// <summary>Whether the swarm's key signed it.</summary>
    /// <param name="swarmPublicKey">SubjectPublicKeyInfo in DER.</param>
    public bool IsSignedBy(ReadOnlySpan<byte> swarmPublicKey) =>
        PeerId.OfPublicKey(swarmPublicKey) == Swarm
        && PeerKey.Verify(swarmPublicKey, SignedBytes.Token(_bytes.AsSpan(0, SignedSize)), _bytes.AsSpan(SignedSize, SignatureSize));

    /// <summary>The token's text: keep it as secret as what it opens.</summary>
    public override string ToString() => Prefix + Base64Url.EncodeToString(_bytes);

    private const long LastSecond = 253_402_300_799; // of the year 9999

    private static readonly System.Buffers.SearchValues<char> Digits =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes[..^4])
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        return ~sum;
    }
}
