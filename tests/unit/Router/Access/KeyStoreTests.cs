using System.Text;
using Parallax.EventStore;
using Parallax.EventStore.Memory;
using Parallax.Router.Access.Keys;

namespace Parallax.UnitTests.Router.Access;

public sealed class KeyStoreTests : IAsyncDisposable
{
    private readonly InMemoryEventStore _events = new(TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _events.DisposeAsync();

    [Fact]
    public async Task Create_ManyProgramsAtOnce_AllSucceed()
    {
        var created = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(
            () => new KeyStore(_events, TimeProvider.System).CreateAsync(new KeySettings { Name = $"key {i}" }, "me", Token), Token)));

        var ring = await new KeyStore(_events, TimeProvider.System).ReadAsync(Token);
        Assert.Equal(12, ring.Count);
        Assert.All(created, one => Assert.Equal(one.Key.Id, ring.Find(ApiKeySecret.HashOf(one.Secret))!.Id));
    }

    [Fact]
    public async Task Create_TwoOfOneName_OneIsRefused()
    {
        await new KeyStore(_events, TimeProvider.System).CreateAsync(new KeySettings { Name = "alice" }, "me", Token);
        await Assert.ThrowsAsync<KeyException>(() => new KeyStore(_events, TimeProvider.System).CreateAsync(new KeySettings { Name = "alice" }, "me", Token));
    }

    [Fact]
    public async Task Create_LeavesNoSecretInTheStore()
    {
        var (_, secret) = await new KeyStore(_events, TimeProvider.System).CreateAsync(new KeySettings { Name = "alice" }, "me", Token);

        Assert.Equal(ApiKeySecret.Prefix.Length + 43, secret.Length); // 32 bytes in Base64
        await foreach (var stored in _events.ReadAllAsync(0, Token))
        {
            var text = Encoding.UTF8.GetString(stored.Payload.Span);
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain(secret[ApiKeySecret.Prefix.Length..], text, StringComparison.Ordinal);
            Assert.Contains(ApiKeySecret.HashOf(secret), text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Execute_EventOfANewerProgram_ChangesNothing()
    {
        await _events.AppendAsync(KeyStore.Stream, 0, [new NewEvent(Guid.NewGuid(), "KeyBlessed", "{}"u8.ToArray())], Token);
        var refused = await Assert.ThrowsAsync<KeyException>(() => new KeyStore(_events, TimeProvider.System).ReadAsync(Token));
        Assert.Contains("KeyBlessed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Codec_EveryEvent_ComesBackAsItWas()
    {
        var at = new DateTimeOffset(2026, 11, 26, 1, 2, 3, TimeSpan.Zero);
        foreach (var happened in (KeyEvent[])[
            new KeyCreated("1", "n", "h", ["chat", "admin"], 3, 4, "me", at, at.AddDays(3)),
            new KeyCreated("1", "n", "h", [], null, null, "me", at, null),
            new KeyChanged("1", "n", ["audit"], null, 9, null),
            new KeyRevoked("1", "me", at)])
        {
            var stored = KeyCodec.Encode(happened);
            Assert.Equivalent(happened, KeyCodec.Decode(stored.Type, stored.Payload), strict: true);
        }
    }

    [Theory]
    [InlineData("KeyCreated", "null")]
    [InlineData("KeyCreated", "{")]
    [InlineData("KeyCreated", "{}")]
    [InlineData("KeyRevoked", "[]")]
    [InlineData("KeyOther", "{}")]
    public void Codec_NoEvent_IsSaidToBeNone(string type, string payload) =>
        Assert.IsType<UnreadableKeyEvent>(KeyCodec.Decode(type, Encoding.UTF8.GetBytes(payload)));
}
