namespace Parallax.Router.Access.Keys;

/// <summary>Whether a request may do what it asks for.</summary>
internal abstract record KeyVerdict
{
    private KeyVerdict()
    {
    }

    /// <summary>It may.</summary>
    public sealed record Admitted(ApiKey Key) : KeyVerdict;

    /// <summary>It has no key that is good for anything.</summary>
    /// <param name="Message">For its sender: who has the secret of a key may know what became of it.</param>
    /// <param name="IsMissing">Whether it brought none.</param>
    public sealed record Unknown(string Message, bool IsMissing) : KeyVerdict;

    /// <summary>Its key is good for other things.</summary>
    public sealed record OutOfScope(ApiKey Key, KeyScope Needed) : KeyVerdict;

    /// <summary>Judges a request by the secret that it brings.</summary>
    /// <param name="ring">The keys.</param>
    /// <param name="secret">What it brings; null: nothing.</param>
    /// <param name="needed">What it asks for.</param>
    /// <param name="now">The time.</param>
    public static KeyVerdict Of(KeyRing ring, string? secret, KeyScope needed, DateTimeOffset now)
    {
        if (secret is null)
        {
            return new Unknown("An API key is needed: send it in the header 'Authorization: Bearer KEY'.", IsMissing: true);
        }

        var key = secret.Length <= ApiKeySecret.MaxLength && secret.StartsWith(ApiKeySecret.Prefix, StringComparison.Ordinal)
            ? ring.Find(ApiKeySecret.HashOf(secret))
            : null;
        return key switch
        {
            null => new Unknown("The API key is not one of this server.", IsMissing: false),
            { RevokedAt: not null } => new Unknown($"The API key {key.Id} is revoked.", IsMissing: false),
            _ when key.HasExpired(now) => new Unknown($"The API key {key.Id} has expired.", IsMissing: false),
            _ when (key.Settings.Scopes & needed) != needed => new OutOfScope(key, needed),
            _ => new Admitted(key),
        };
    }
}
