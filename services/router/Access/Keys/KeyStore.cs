using System.Security.Cryptography;
using Parallax.EventStore;

namespace Parallax.Router.Access.Keys;

/// <summary>The API keys in an event store, where several programs may change them at a time.</summary>
internal sealed class KeyStore(IEventStore store, TimeProvider clock)
{
    /// <summary>The stream of the keys' events.</summary>
    public const string Stream = "access/keys";

    private const int Attempts = 20; // each attempt that fails is one that another program made well

    /// <summary>The keys as they are now.</summary>
    /// <exception cref="KeyException">An event cannot be read.</exception>
    public async Task<KeyRing> ReadAsync(CancellationToken cancellationToken) => (await LoadAsync(cancellationToken)).Ring;

    /// <summary>Creates a key.</summary>
    /// <returns>The key, and its secret, which nothing else knows.</returns>
    /// <exception cref="KeyException">It cannot be created.</exception>
    public async Task<(ApiKey Key, string Secret)> CreateAsync(KeySettings settings, string by, CancellationToken cancellationToken)
    {
        var secret = ApiKeySecret.Create(RandomNumberGenerator.GetBytes(ApiKeySecret.RandomBytes));
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var ring = await ExecuteAsync(new CreateKey(id, ApiKeySecret.HashOf(secret), settings, by), cancellationToken);
        return (ring.Ring.Keys[id], secret);
    }

    /// <summary>Carries a command out; where another program was quicker, on what that one made.</summary>
    /// <returns>The keys after it, and whether it changed anything.</returns>
    /// <exception cref="KeyException">It cannot be done.</exception>
    public async Task<(KeyRing Ring, bool IsChanged)> ExecuteAsync(KeyCommand command, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (ring, version) = await LoadAsync(cancellationToken);
            var events = KeyRing.Decide(ring, command, clock.GetUtcNow());
            if (events.IsEmpty)
            {
                return (ring, false);
            }

            switch (await store.AppendAsync(Stream, version, [.. events.Select(KeyCodec.Encode)], cancellationToken))
            {
                case AppendResult.Appended:
                    return (events.Aggregate(ring, KeyRing.Evolve), true);
                case AppendResult.Conflict when attempt == Attempts:
                    throw new KeyException($"Other programs changed the API keys at the same moment, {Attempts} times in a row. Try again.");
                default:
                    break;
            }
        }
    }

    private async Task<(KeyRing Ring, long Version)> LoadAsync(CancellationToken cancellationToken)
    {
        var (ring, version) = (KeyRing.Empty, 0L);
        await foreach (var stored in store.ReadAsync(Stream, 1, cancellationToken))
        {
            if (KeyCodec.Decode(stored.Type, stored.Payload) is var happened && happened is UnreadableKeyEvent unreadable)
            {
                // To change what one does not understand could give somebody back what was taken away.
                throw new KeyException(
                    $"Event {stored.Version} of the API keys ('{unreadable.Type}') cannot be read: {unreadable.Problem}. Use the version of Parallax that wrote it, or a newer one.");
            }

            (ring, version) = (KeyRing.Evolve(ring, happened), stored.Version);
        }

        return (ring, version);
    }
}
