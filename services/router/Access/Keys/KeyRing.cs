using System.Collections.Immutable;

namespace Parallax.Router.Access.Keys;

/// <summary>All API keys, as the events make them. Immutable.</summary>
internal sealed record KeyRing
{
    /// <summary>Keys that are not revoked at most; expired ones count.</summary>
    public const int MaxKeys = 10_000;

    /// <summary>Revoked keys that are remembered, so that their users are told so and lists show them; older ones are forgotten.</summary>
    public const int MaxRevoked = 1_000;

    /// <summary>No keys.</summary>
    public static KeyRing Empty { get; } = new();

    /// <summary>The keys by id, revoked ones among them.</summary>
    public ImmutableDictionary<string, ApiKey> Keys { get; private init; } = ImmutableDictionary.Create<string, ApiKey>(StringComparer.Ordinal);

    /// <summary>The ids by hash.</summary>
    private ImmutableDictionary<string, string> Ids { get; init; } = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The revoked keys that are remembered, oldest first.</summary>
    private ImmutableList<string> Revoked { get; init; } = [];

    /// <summary>Keys that are not revoked.</summary>
    public int Count => Keys.Count - Revoked.Count;

    /// <summary>
    /// The key with a secret's hash. The lookup compares hashes, and their bits say nothing about those of a secret: how long it
    /// takes helps nobody.
    /// </summary>
    public ApiKey? Find(string hash) => Ids.TryGetValue(hash, out var id) ? Keys[id] : null;

    /// <summary>What an event makes of the keys. Total: events that make no sense change nothing.</summary>
    public static KeyRing Evolve(KeyRing ring, KeyEvent happened)
    {
        switch (happened)
        {
            case KeyCreated created when !ring.Keys.ContainsKey(created.Id) && !ring.Ids.ContainsKey(created.Hash):
                var settings = new KeySettings
                {
                    Name = created.Name,
                    Scopes = KeyScopeText.Parse(created.Scopes),
                    RequestsPerMinute = created.RequestsPerMinute,
                    TokensPerDay = created.TokensPerDay,
                    Expires = created.Expires,
                };
                return ring with
                {
                    Keys = ring.Keys.Add(created.Id, new ApiKey(created.Id, created.Hash, settings, created.CreatedBy, created.CreatedAt)),
                    Ids = ring.Ids.Add(created.Hash, created.Id),
                };
            case KeyChanged changed when ring.Keys.TryGetValue(changed.Id, out var key):
                return ring with
                {
                    Keys = ring.Keys.SetItem(changed.Id, key with
                    {
                        Settings = new KeySettings
                        {
                            Name = changed.Name,
                            Scopes = KeyScopeText.Parse(changed.Scopes),
                            RequestsPerMinute = changed.RequestsPerMinute,
                            TokensPerDay = changed.TokensPerDay,
                            Expires = changed.Expires,
                        },
                    }),
                };
            case KeyRevoked revoked when ring.Keys.TryGetValue(revoked.Id, out var key) && key.RevokedAt is null:
                return Forget(ring with
                {
                    Keys = ring.Keys.SetItem(revoked.Id, key with { RevokedAt = revoked.RevokedAt }),
                    Revoked = ring.Revoked.Add(revoked.Id),
                });
            default:
                return ring;
        }
    }

    /// <summary>The events that a command makes; none where all is as it asks.</summary>
    /// <exception cref="KeyException">It cannot be done.</exception>
    public static ImmutableArray<KeyEvent> Decide(KeyRing ring, KeyCommand command, DateTimeOffset now)
    {
        switch (command)
        {
            case CreateKey create:
                if (ring.Count >= MaxKeys)
                {
                    throw new KeyException($"There are {ring.Count} API keys, and no more can be created: revoke those that nobody needs, expired ones among them.");
                }

                if (ring.Keys.Values.FirstOrDefault(key => key.RevokedAt is null && key.Settings.Name == create.Settings.Name) is { } namesake)
                {
                    throw new KeyException($"There is a key of the name '{create.Settings.Name}' ({namesake.Id}): use another name, or revoke that one.");
                }

                var chosen = create.Settings;
                return
                [
                    new KeyCreated(
                        create.Id, chosen.Name, create.Hash, [.. chosen.Scopes.ToWords()], chosen.RequestsPerMinute, chosen.TokensPerDay, create.By, now, chosen.Expires),
                ];
            case ChangeKey change:
                var present = Require(ring, change.Id);
                if (present.RevokedAt is not null)
                {
                    throw new KeyException($"The API key {change.Id} is revoked, for good: create another.");
                }

                var settings = change.Change(present.Settings);
                return settings == present.Settings
                    ? []
                    : [new KeyChanged(change.Id, settings.Name, [.. settings.Scopes.ToWords()], settings.RequestsPerMinute, settings.TokensPerDay, settings.Expires)];
            case RevokeKey revoke:
                return Require(ring, revoke.Id).RevokedAt is null ? [new KeyRevoked(revoke.Id, revoke.By, now)] : [];
            default:
                throw new ArgumentOutOfRangeException(nameof(command), command, "no such command");
        }
    }

    private static ApiKey Require(KeyRing ring, string id) => ring.Keys.TryGetValue(id, out var key)
        ? key
        : throw new KeyException($"There is no API key '{id}': 'parallax key list' names them.");

    private static KeyRing Forget(KeyRing ring)
    {
        if (ring.Revoked.Count <= MaxRevoked)
        {
            return ring;
        }

        var oldest = ring.Keys[ring.Revoked[0]];
        return ring with { Keys = ring.Keys.Remove(oldest.Id), Ids = ring.Ids.Remove(oldest.Hash), Revoked = ring.Revoked.RemoveAt(0) };
    }
}
