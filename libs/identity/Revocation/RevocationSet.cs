using System.Collections.Frozen;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity.Tokens;

namespace Parallax.Identity.Revocation;

/// <summary>
/// Who is out of a swarm: peers, and tokens that admit nobody any more. Signed by the swarm's key; a set replaces one of a
/// lower version. Immutable.
/// </summary>
public sealed class RevocationSet
{
    /// <summary>Peers and tokens together at most: the signed set fits into a record of the overlay.</summary>
    public const int MaxEntries = 2000;

    /// <summary>Bytes of a signed set at most.</summary>
    public const int MaxBytes = 48 * 1024;

    private RevocationSet(long version, FrozenSet<PeerId> peers, FrozenSet<TokenId> tokens, ReadOnlyMemory<byte> envelope) =>
        (Version, Peers, Tokens, Envelope) = (version, peers, tokens, envelope);

    /// <summary>Nobody is out; what a swarm begins with. Version 0, not signed.</summary>
    public static RevocationSet Empty { get; } = new(0, [], [], ReadOnlyMemory<byte>.Empty);

    /// <summary>Only a higher version replaces a set.</summary>
    public long Version { get; }

    /// <summary>Peers that nobody deals with.</summary>
    public FrozenSet<PeerId> Peers { get; }

    /// <summary>Tokens with which nobody joins.</summary>
    public FrozenSet<TokenId> Tokens { get; }

    /// <summary>The signed form, to be passed on and read by <see cref="Read"/>; empty for <see cref="Empty"/>.</summary>
    public ReadOnlyMemory<byte> Envelope { get; }

    /// <summary>Whether the peer is out.</summary>
    public bool Contains(PeerId peer) => Peers.Contains(peer);

    /// <summary>Whether the token is out.</summary>
    public bool Contains(TokenId token) => Tokens.Contains(token);

    /// <summary>Signs a set.</summary>
    /// <exception cref="IdentityException">There are more than <see cref="MaxEntries"/>.</exception>
    public static RevocationSet Sign(PeerKey swarmKey, long version, IEnumerable<PeerId> peers, IEnumerable<TokenId> tokens)
    {
        ArgumentNullException.ThrowIfNull(swarmKey);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(version);
        var (peerSet, tokenSet) = (peers.ToFrozenSet(), tokens.ToFrozenSet());
        if (peerSet.Count + tokenSet.Count > MaxEntries)
        {
            throw new IdentityException($"A swarm keeps at most {MaxEntries} revocations: found a new swarm and let the members that are wanted join it.");
        }

        var list = new RevocationList { Version = version };
        list.Peers.AddRange(peerSet.Order().Select(static peer => ByteString.CopyFrom(peer.ToByteArray())));
        list.Tokens.AddRange(tokenSet.Order().Select(static token => ByteString.CopyFrom(token.ToByteArray())));
        var bytes = list.ToByteString();
        var envelope = new SignedRevocations
        {
            List = bytes,
            Signature = ByteString.CopyFrom(swarmKey.Sign(SignedBytes.Revocations(bytes.Span))),
        };
        return new RevocationSet(version, peerSet, tokenSet, envelope.ToByteArray());
    }

    /// <summary>Reads a signed set; null for what the swarm's key did not sign, or is malformed or too long.</summary>
    /// <param name="bytes">Bytes from anywhere.</param>
    /// <param name="swarmPublicKey">SubjectPublicKeyInfo in DER.</param>
    public static RevocationSet? Read(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> swarmPublicKey)
    {
        if (bytes.Length > MaxBytes)
        {
            return null;
        }

        try
        {
            var envelope = SignedRevocations.Parser.ParseFrom(bytes);
            if (!PeerKey.Verify(swarmPublicKey, SignedBytes.Revocations(envelope.List.Span), envelope.Signature.Span))
            {
                return null;
            }

            var list = RevocationList.Parser.ParseFrom(envelope.List);
            return list.Version <= 0 || list.Peers.Any(static peer => peer.Length != PeerId.Size) || list.Tokens.Any(static token => token.Length != TokenId.Size)
                ? null
                : new RevocationSet(
                    list.Version,
                    list.Peers.Select(static peer => new PeerId(peer.Span)).ToFrozenSet(),
                    list.Tokens.Select(static token => TokenId.Read(token.Span)).ToFrozenSet(),
                    bytes.ToArray());
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // whoever sent it is not to be believed
        }
    }
}
