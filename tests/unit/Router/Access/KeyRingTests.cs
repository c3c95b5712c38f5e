using CsCheck;
using Parallax.Router.Access.Keys;

namespace Parallax.UnitTests.Router.Access;

public class KeyRingTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Create_New_KeepsItsHashAndSettings()
    {
        var created = Assert.IsType<KeyCreated>(Assert.Single(KeyRing.Decide(KeyRing.Empty, Create("1", "alice") with
        {
            Settings = new KeySettings { Name = "alice", Scopes = KeyScope.Chat | KeyScope.Audit, RequestsPerMinute = 5, TokensPerDay = 7, Expires = Now.AddDays(1) },
        }, Now)));

        Assert.Equal(["chat", "audit"], created.Scopes);
        var key = KeyRing.Evolve(KeyRing.Empty, created).Find("hash-1")!;
        Assert.Equal("1", key.Id);
        Assert.Equal(new KeySettings { Name = "alice", Scopes = KeyScope.Chat | KeyScope.Audit, RequestsPerMinute = 5, TokensPerDay = 7, Expires = Now.AddDays(1) }, key.Settings);
        Assert.False(key.HasExpired(Now));
        Assert.True(key.HasExpired(Now.AddDays(1)));
    }

    [Fact]
    public void Create_NameOfAKeyInUse_IsRefused_OfARevokedOne_IsNot()
    {
        var ring = After(KeyRing.Empty, Create("1", "alice"));
        Assert.Contains("alice", Assert.Throws<KeyException>(() => KeyRing.Decide(ring, Create("2", "alice"), Now)).Message, StringComparison.Ordinal);

        ring = After(ring, new RevokeKey("1", "me"));
        Assert.Single(KeyRing.Decide(ring, Create("2", "alice"), Now));
    }

    [Fact]
    public void Create_MoreThanThereMayBe_IsRefused()
    {
        var ring = Enumerable.Range(0, KeyRing.MaxKeys).Aggregate(KeyRing.Empty, static (ring, i) => KeyRing.Evolve(ring, Created($"{i}")));
        Assert.Contains("revoke", Assert.Throws<KeyException>(() => KeyRing.Decide(ring, Create("x", "x"), Now)).Message, StringComparison.Ordinal);
        Assert.Single(KeyRing.Decide(After(ring, new RevokeKey("7", "me")), Create("x", "x"), Now));
    }

    [Fact]
    public void Change_Something_SaysAllThatHoldsNow_Nothing_SaysNothing()
    {
        var ring = After(KeyRing.Empty, Create("1", "alice"));
        var changed = Assert.IsType<KeyChanged>(Assert.Single(KeyRing.Decide(ring, new ChangeKey("1", static s => s with { TokensPerDay = 9 }), Now)));
        Assert.Equal(("alice", 9L), (changed.Name, changed.TokensPerDay));
        ring = KeyRing.Evolve(ring, changed);
        Assert.Equal(9, ring.Find("hash-1")!.Settings.TokensPerDay);
        Assert.Empty(KeyRing.Decide(ring, new ChangeKey("1", static s => s), Now));
    }

    [Fact]
    public void Revoke_Twice_IsOnceAndForGood()
    {
        var ring = After(KeyRing.Empty, Create("1", "alice"));
        ring = After(ring, new RevokeKey("1", "me"));

        Assert.Empty(KeyRing.Decide(ring, new RevokeKey("1", "me"), Now));
        Assert.Equal(Now, ring.Find("hash-1")!.RevokedAt);
        Assert.Throws<KeyException>(() => KeyRing.Decide(ring, new ChangeKey("1", static s => s), Now));
        Assert.Equal(0, ring.Count);
    }

    [Fact]
    public void Command_KeyThatIsNone_IsRefused()
    {
        Assert.Throws<KeyException>(() => KeyRing.Decide(KeyRing.Empty, new RevokeKey("1", "me"), Now));
        Assert.Throws<KeyException>(() => KeyRing.Decide(KeyRing.Empty, new ChangeKey("1", static s => s), Now));
    }

    [Fact]
    public void Evolve_ManyRevoked_ForgetsTheOldest()
    {
        var ring = KeyRing.Empty;
        for (var i = 0; i <= KeyRing.MaxRevoked; i++)
        {
            ring = KeyRing.Evolve(KeyRing.Evolve(ring, Created($"{i}")), new KeyRevoked($"{i}", "me", Now));
        }

        Assert.Null(ring.Find("hash-0"));
        Assert.NotNull(ring.Find("hash-1"));
        Assert.Equal((KeyRing.MaxRevoked, 0), (ring.Keys.Count, ring.Count));
    }

    [Fact]
    public void Evolve_AnyEvents_KeepsIdsAndHashesTogether()
    {
        var happened = Gen.OneOf<KeyEvent>(
            Gen.Int[0, 5].Select(static i => (KeyEvent)Created($"{i}")),
            Gen.Int[0, 5].Select(static i => (KeyEvent)(Created($"{i}") with { Hash = "hash-0" })),
            Gen.Int[0, 5].Select(static i => (KeyEvent)new KeyRevoked($"{i}", "me", Now)),
            Gen.Int[0, 5].Select(static i => (KeyEvent)new KeyChanged($"{i}", "n", ["chat"], i, null, null)),
            Gen.Const((KeyEvent)new UnreadableKeyEvent("KeyBlessed", "unknown")));
        happened.Array[0, 40].Sample(static events =>
        {
            var ring = events.Aggregate(KeyRing.Empty, KeyRing.Evolve);
            Assert.All(ring.Keys.Values, key => Assert.Same(key, ring.Find(key.Hash)));
            Assert.Equal(ring.Keys.Values.Count(static key => key.RevokedAt is null), ring.Count);
        });
    }

    private static KeyRing After(KeyRing ring, KeyCommand command) => KeyRing.Decide(ring, command, Now).Aggregate(ring, KeyRing.Evolve);

    private static CreateKey Create(string id, string name) => new(id, $"hash-{id}", new KeySettings { Name = name }, "me");

    private static KeyCreated Created(string id) => new(id, $"name-{id}", $"hash-{id}", ["chat"], null, null, "me", Now, null);
}
