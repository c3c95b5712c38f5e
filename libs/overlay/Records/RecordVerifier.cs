using System.Security.Cryptography;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;

namespace Parallax.Overlay.Records;

/// <summary>
/// Verifies signatures, and remembers the verdicts on the last records it saw: the same record comes from several holders
/// and again with each republishing. Thread-safe, bounded.
/// </summary>
internal sealed class RecordVerifier(int capacity) : IRecordVerifier
{
    private readonly Lock _gate = new(); // guards the two collections
    private readonly Dictionary<PeerId, bool> _verdicts = [];
    private readonly Queue<PeerId> _order = [];

    public bool Verify(SignedRecord record)
    {
        var signed = record.SigningBytes();
        var digest = Digest(signed, record.Signature.Span);
        lock (_gate)
        {
            if (_verdicts.TryGetValue(digest, out var known))
            {
                return known;
            }
        }

        var verdict = IsSigned(record, signed);
        lock (_gate)
        {
            if (_verdicts.TryAdd(digest, verdict))
            {
                _order.Enqueue(digest);
                if (_order.Count > capacity)
                {
                    _verdicts.Remove(_order.Dequeue());
                }
            }
        }

        return verdict;
    }

    private static bool IsSigned(SignedRecord record, byte[] signed)
    {
        return PeerKey.Verify(record.PublicKey.Span, signed, record.Signature.Span);
    }

    // 160 bits of SHA-256 over everything that the verdict depends on: to find another record with the same digest is as hard
    // as to find a key with another peer's id.
    private static PeerId Digest(byte[] signed, ReadOnlySpan<byte> signature)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(signed);
        hash.AppendData(signature);
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(bytes);
        return new PeerId(bytes[..PeerId.Size]);
    }
}
