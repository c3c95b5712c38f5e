using System.Collections.Immutable;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Overlay;

namespace Parallax.UnitTests.Swarm;

/// <summary>An overlay of one process: a set of records, nothing signed, nothing sent.</summary>
/// <param name="publicKey">Of this peer.</param>
/// <param name="incarnation">Of this run.</param>
internal sealed class FakeOverlay(ReadOnlyMemory<byte> publicKey, long incarnation = 1) : IOverlay
{
    private readonly Dictionary<(OverlayKey, PeerId), FoundRecord> _records = [];
    private readonly List<FoundRecord> _sealed = [];
    private readonly List<FoundRecord> _put = [];
    private readonly Lock _gate = new(); // guards the three above
    private long _sequence;

    public PeerId Self { get; } = PeerId.OfPublicKey(publicKey.Span);

    public ImmutableArray<KnownPeer> Peers => [];

    /// <summary>All that this peer has sealed, in order.</summary>
    public ImmutableArray<FoundRecord> Sealed
    {
        get
        {
            lock (_gate)
            {
                return [.. _sealed];
            }
        }
    }

    /// <summary>What of it went to others.</summary>
    public ImmutableArray<FoundRecord> Put
    {
        get
        {
            lock (_gate)
            {
                return [.. _put];
            }
        }
    }

    public FoundRecord Seal(OverlayKey key, ReadOnlyMemory<byte> value, TimeSpan lease)
    {
        lock (_gate)
        {
            var record = Record(publicKey, key, value, incarnation, ++_sequence, lease);
            _sealed.Add(record);
            return record;
        }
    }

    public Task<int> PutAsync(FoundRecord record, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _records[(record.Key, record.Publisher)] = record;
            _put.Add(record);
        }

        return Task.FromResult(1);
    }

    public FoundRecord? Open(ReadOnlyMemory<byte> envelope)
    {
        try
        {
            var wire = OverlayRecord.Parser.ParseFrom(envelope.Span);
            return wire.RemainingMs <= 0 ? null : Record(
                wire.PublicKey.Memory, new OverlayKey(new PeerId(wire.Key.Span)), wire.Value.Memory, wire.Incarnation, wire.Sequence, TimeSpan.FromMilliseconds(wire.RemainingMs));
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    public Task RemoveAsync(OverlayKey key, CancellationToken cancellationToken) =>
        PutAsync(Seal(key, ReadOnlyMemory<byte>.Empty, TimeSpan.FromSeconds(30)), cancellationToken);

    public Task<ImmutableArray<FoundRecord>> GetAsync(OverlayKey key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<ImmutableArray<FoundRecord>>(
                [.. _records.Values.Where(record => record.Key == key && !record.Value.IsEmpty).OrderBy(static record => record.Publisher)]);
        }
    }

    /// <summary>A record as it comes from some peer.</summary>
    public static FoundRecord Record(ReadOnlyMemory<byte> publicKey, OverlayKey key, ReadOnlyMemory<byte> value, long incarnation, long sequence, TimeSpan lease)
    {
        Span<byte> place = stackalloc byte[PeerId.Size];
        key.Value.CopyTo(place);
        var wire = new OverlayRecord
        {
            Key = ByteString.CopyFrom(place),
            PublicKey = ByteString.CopyFrom(publicKey.Span),
            Incarnation = incarnation,
            Sequence = sequence,
            LeaseMs = (long)lease.TotalMilliseconds,
            RemainingMs = (long)lease.TotalMilliseconds,
            Value = ByteString.CopyFrom(value.Span),
        };
        return new FoundRecord(key, PeerId.OfPublicKey(publicKey.Span), publicKey, incarnation, sequence, lease, value, wire.ToByteArray());
    }
}
