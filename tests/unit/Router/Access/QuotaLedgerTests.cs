using CsCheck;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Parallax.Router.Access.Keys;
using Parallax.Router.Access.Quotas;
using Parallax.Router.Api;

namespace Parallax.UnitTests.Router.Access;

public class QuotaLedgerTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 26, 22, 30, 0, TimeSpan.Zero));
    private readonly QuotaLedger _ledger;

    public QuotaLedgerTests() => _ledger = new QuotaLedger(_clock);

    [Fact]
    public void BeginRequest_QuotaUsedUp_IsRefusedUntilThereIsRoom()
    {
        var key = Key(requests: 2);
        _ledger.BeginRequest(key);
        _clock.Advance(TimeSpan.FromSeconds(10));
        _ledger.BeginRequest(key);

        var refused = Assert.Throws<ApiException>(() => _ledger.BeginRequest(key));
        Assert.Equal((429, "requests", "rate_limit_exceeded"), (refused.Status, refused.Type, refused.Code));
        Assert.Equal(TimeSpan.FromSeconds(51), refused.RetryAfter);

        _clock.Advance(refused.RetryAfter!.Value);
        _ledger.BeginRequest(key);
        Assert.Throws<ApiException>(() => _ledger.BeginRequest(key));
    }

    [Fact]
    public void BeginRequest_OtherKey_IsCountedApart()
    {
        _ledger.BeginRequest(Key(requests: 1));
        _ledger.BeginRequest(Key(requests: 1) with { Id = "2" });
        _ledger.BeginRequest(Key() with { Id = "3" });
        _ledger.BeginRequest(Key() with { Id = "3" });
    }

    [Fact]
    public void Reserve_MoreThanIsLeft_IsRefused_UntilOthersUseLess()
    {
        var key = Key(tokens: 100);
        var running = _ledger.Reserve(key, 60);
        var refused = Assert.Throws<ApiException>(() => _ledger.Reserve(key, 41));
        Assert.Equal((429, "tokens"), (refused.Status, refused.Type));
        Assert.Equal(TimeSpan.FromSeconds(1), refused.RetryAfter); // the running one may use less

        running.Settle(10);
        running.Dispose(); // changes nothing any more
        Assert.Equal(90, _ledger.Standing(key).Tokens!.Value.Remaining);
        using var next = _ledger.Reserve(key, 90);
        Assert.Equal(0, _ledger.Standing(key).Tokens!.Value.Remaining);
    }

    [Fact]
    public void Reserve_UsedUp_IsRefusedUntilTheNextDay()
    {
        var key = Key(tokens: 100);
        _ledger.Reserve(key, 100).Settle(100);
        var refused = Assert.Throws<ApiException>(() => _ledger.Reserve(key, 1));
        Assert.Equal(TimeSpan.FromMinutes(90), refused.RetryAfter);

        _clock.Advance(TimeSpan.FromMinutes(90));
        _ledger.Reserve(key, 100).Dispose();
    }

    [Fact]
    public void Settle_AfterMidnight_CountsOnTheDayThatItBeganOn()
    {
        var key = Key(tokens: 100);
        var running = _ledger.Reserve(key, 100);
        _clock.Advance(TimeSpan.FromHours(2));
        using (_ledger.Reserve(key, 100))
        {
            running.Settle(100);
            Assert.Equal(0, _ledger.Standing(key).Tokens!.Value.Remaining);
        }

        Assert.Equal(100, _ledger.Standing(key).Tokens!.Value.Remaining);
    }

    [Fact]
    public void AddOther_OfToday_Counts_OfYesterday_DoesNot()
    {
        var key = Key(requests: 10, tokens: 100);
        var other = _ledger.AddOther(key.Id, _clock.GetUtcNow(), 30)!;
        Assert.Null(_ledger.AddOther(key.Id, _clock.GetUtcNow().AddDays(-1), 30));

        Assert.Equal((9L, 70L), (_ledger.Standing(key).Requests!.Value.Remaining, _ledger.Standing(key).Tokens!.Value.Remaining));
        other.Settle(5);
        Assert.Equal(95, _ledger.Standing(key).Tokens!.Value.Remaining);
    }

    [Fact]
    public void Standing_UnlimitedKey_SaysNothing()
    {
        Assert.Equal(new QuotaStanding(null, null), _ledger.Standing(Key()));
        var headers = new HeaderDictionary();
        QuotaHeaders.Write(headers, _ledger.Standing(Key()));
        Assert.Empty(headers);
    }

    [Fact]
    public void Standing_AsHeaders_IsAsOpenAIWritesIt()
    {
        var key = Key(requests: 3, tokens: 1000);
        _ledger.BeginRequest(key);
        using var running = _ledger.Reserve(key, 1);
        var headers = new HeaderDictionary();
        QuotaHeaders.Write(headers, _ledger.Standing(key));
        Assert.Equal(
            [
                ("x-ratelimit-limit-requests", "3"), ("x-ratelimit-limit-tokens", "1000"),
                ("x-ratelimit-remaining-requests", "2"), ("x-ratelimit-remaining-tokens", "999"),
                ("x-ratelimit-reset-requests", "1m1s"), ("x-ratelimit-reset-tokens", "1h30m0s"),
            ],
            headers.Select(static one => (one.Key, one.Value.ToString())).Order());
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(0.2, "1s")]
    [InlineData(59.5, "1m0s")]
    [InlineData(360, "6m0s")]
    [InlineData(86_400, "24h0m0s")]
    [InlineData(-5, "0s")]
    public void Format_Span(double seconds, string text) => Assert.Equal(text, QuotaHeaders.Format(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Forget_KeyThatIsNoMore_ForgetsItsUse_AndMindsNoRunningRequest()
    {
        var key = Key(requests: 1, tokens: 10);
        _ledger.BeginRequest(key);
        var running = _ledger.Reserve(key, 10);
        _ledger.Forget(static id => id != "1");
        running.Settle(10);
        Assert.Equal((1L, 10L), (_ledger.Standing(key).Requests!.Value.Remaining, _ledger.Standing(key).Tokens!.Value.Remaining));
    }

    /// <summary>Whatever requests begin and end in which order, and over midnight: what was used and what may be used stays within the quota.</summary>
    [Fact]
    public void Ledger_AnyOrderOfBeginsAndEnds_AdmitsNoMoreThanTheQuota()
    {
        const int Limit = 100;
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 70], Gen.Int[0, 100]).Array[1, 80].Sample(static steps =>
        {
            var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 26, 0, 0, 0, TimeSpan.Zero));
            var ledger = new QuotaLedger(clock);
            var key = Key(tokens: Limit);
            var running = new List<(TokenReservation Reservation, int Day)>();
            var used = new Dictionary<int, long>();
            foreach (var (what, tokens, choice) in steps)
            {
                var day = clock.GetUtcNow().Day;
                switch (what)
                {
                    case 0 or 1:
                        try
                        {
                            running.Add((ledger.Reserve(key, tokens), day));
                        }
                        catch (ApiException)
                        {
                            // Refused: only what would not have fitted.
                            Assert.True(Taken(day) + tokens > Limit);
                        }

                        break;
                    case 2 when running.Count > 0:
                        var (ended, began) = running[choice % running.Count];
                        running.RemoveAt(choice % running.Count);
                        var used1 = ended.Tokens * choice / 100;
                        ended.Settle(used1);
                        used[began] = used.GetValueOrDefault(began) + used1;
                        break;
                    case 3:
                        clock.Advance(TimeSpan.FromHours(choice / 10));
                        break;
                    default:
                        break;
                }

                var today = clock.GetUtcNow().Day;
                Assert.InRange(Taken(today), 0, Limit);
                Assert.Equal(Limit - Taken(today), ledger.Standing(key).Tokens!.Value.Remaining);
            }

            long Taken(int day) => used.GetValueOrDefault(day) + running.Where(one => one.Day == day).Sum(static one => one.Reservation.Tokens);
        });
    }

    internal static ApiKey Key(int? requests = null, long? tokens = null) => new(
        "1", "hash", new KeySettings { Name = "n", RequestsPerMinute = requests, TokensPerDay = tokens }, "me", DateTimeOffset.UnixEpoch);
}
