using Parallax.Router.Access.Keys;
using Parallax.Router.Api;

namespace Parallax.Router.Access.Quotas;

/// <summary>
/// What the keys use, against what they may. This router's own use is counted at once; that of others as their events tell it
/// (<see cref="SharedUsage"/>). Thread-safe.
/// </summary>
/// <remarks>
/// It holds some 500 bytes for each key that was used; who owns the keys says which of them are no more (<see cref="Forget"/>).
/// </remarks>
internal sealed class QuotaLedger(TimeProvider clock)
{
    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // guards the usage of all keys
    private readonly Dictionary<string, KeyUsage> _usage = new(StringComparer.Ordinal);

    /// <summary>Counts a request of a key.</summary>
    /// <exception cref="ApiException">It would be more than the quota allows: 429.</exception>
    public void BeginRequest(ApiKey key)
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            var usage = UsageOf(key.Id, now);
            if (key.Settings.RequestsPerMinute is { } limit && usage.Requests.Count >= limit)
            {
                throw ApiException.QuotaExceeded(
                    "requests", $"The API key may make {limit} requests in a minute, and has made them.", usage.Requests.UntilAtMost(limit - 1, now));
            }

            usage.Requests.Add();
        }
    }

    /// <summary>Sets aside the tokens that a request may use at most.</summary>
    /// <returns>To be settled with what it used; disposing it unsettled gives all back.</returns>
    /// <exception cref="ApiException">It would be more than the quota allows: 429.</exception>
    public TokenReservation Reserve(ApiKey key, long tokens)
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            var usage = UsageOf(key.Id, now);
            if (key.Settings.TokensPerDay is { } limit && tokens > limit - usage.Tokens.Taken)
            {
                // What runs may use less than it has set aside; else there is nothing to be had before the next day.
                var isSoon = usage.Tokens.Used + tokens <= limit;
                throw ApiException.QuotaExceeded(
                    "tokens",
                    $"The API key may use {limit} tokens in a day (UTC); {usage.Tokens.Used} are used, running requests may use {usage.Tokens.Reserved}, and this one may use {tokens}: "
                        + "ask for fewer with 'max_tokens', or later.",
                    isSoon ? SoonAgain : DayTokens.UntilNextDay(now));
            }

            usage.Tokens.Reserve(tokens);
            return new TokenReservation(this, key.Id, usage.Tokens.Day, tokens);
        }
    }

    /// <summary>Where a key stands.</summary>
    public QuotaStanding Standing(ApiKey key)
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            return UsageOf(key.Id, now).Standing(key.Settings.RequestsPerMinute, key.Settings.TokensPerDay, now);
        }
    }

    /// <summary>Counts a request that another router took.</summary>
    /// <returns>The reservation of its tokens; null where its day is over.</returns>
    public TokenReservation? AddOther(string key, DateTimeOffset at, long tokens)
    {
        lock (_gate)
        {
            var usage = UsageOf(key, clock.GetUtcNow());
            usage.Requests.Add(at);
            if (DayTokens.DayOf(at) < usage.Tokens.Day)
            {
                return null;
            }

            usage.Tokens.Reserve(tokens);
            return new TokenReservation(this, key, usage.Tokens.Day, tokens);
        }
    }

    /// <summary>Forgets keys that are no more.</summary>
    /// <param name="isKnown">Whether a key still is one.</param>
    public void Forget(Func<string, bool> isKnown)
    {
        lock (_gate)
        {
            foreach (var gone in _usage.Keys.Where(key => !isKnown(key)).ToList())
            {
                _usage.Remove(gone);
            }
        }
    }

    /// <summary>Puts what was used in place of what was set aside.</summary>
    internal void Settle(TokenReservation reservation, long used)
    {
        lock (_gate)
        {
            if (_usage.TryGetValue(reservation.Key, out var usage))
            {
                usage.Tokens.Settle(reservation.Day, reservation.Tokens, used);
            }
        }
    }

    private KeyUsage UsageOf(string key, DateTimeOffset now)
    {
        if (!_usage.TryGetValue(key, out var usage))
        {
            _usage[key] = usage = new KeyUsage();
        }

        usage.Advance(now);
        return usage;
    }
}
