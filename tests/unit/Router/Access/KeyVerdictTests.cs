using Microsoft.AspNetCore.Http;
using Parallax.Router;
using Parallax.Router.Access;
using Parallax.Router.Access.Gate;
using Parallax.Router.Access.Keys;

namespace Parallax.UnitTests.Router.Access;

public class KeyVerdictTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);
    private static readonly string Secret = ApiKeySecret.Create(new byte[ApiKeySecret.RandomBytes]);
    private static readonly KeyRing Ring = KeyRing.Evolve(
        KeyRing.Empty, new KeyCreated("1", "n", ApiKeySecret.HashOf(Secret), ["chat", "audit"], null, null, "me", Now, Now.AddDays(1)));

    [Fact]
    public void Of_KeyInScope_IsAdmitted()
    {
        Assert.Equal("1", Assert.IsType<KeyVerdict.Admitted>(KeyVerdict.Of(Ring, Secret, KeyScope.Chat, Now)).Key.Id);
        Assert.IsType<KeyVerdict.Admitted>(KeyVerdict.Of(Ring, Secret, KeyScope.Audit, Now));
    }

    [Fact]
    public void Of_KeyOutOfScope_IsNot() => Assert.IsType<KeyVerdict.OutOfScope>(KeyVerdict.Of(Ring, Secret, KeyScope.Admin, Now));

    [Fact]
    public void Of_NoKey_SaysThatItIsMissing() => Assert.True(Unknown(Ring, null, Now).IsMissing);

    [Theory]
    [InlineData("plx-sk-wrong")]
    [InlineData("wrong")]
    public void Of_OtherKey_IsUnknown(string secret) => Assert.False(Unknown(Ring, secret, Now).IsMissing);

    [Fact]
    public void Of_SecretWithMore_IsUnknown()
    {
        Assert.False(Unknown(Ring, Secret + "A", Now).IsMissing);
        Assert.False(Unknown(Ring, Secret + new string('A', ApiKeySecret.MaxLength), Now).IsMissing);
        Assert.False(Unknown(Ring, ApiKeySecret.HashOf(Secret), Now).IsMissing);
    }

    [Fact]
    public void Of_ExpiredOrRevoked_SaysSo()
    {
        Assert.Contains("expired", Unknown(Ring, Secret, Now.AddDays(1)).Message, StringComparison.Ordinal);
        Assert.Contains("revoked", Unknown(KeyRing.Evolve(Ring, new KeyRevoked("1", "me", Now)), Secret, Now).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer abc", "abc")]
    [InlineData("bearer  abc ", "abc")]
    [InlineData("abc", null)]
    [InlineData("Bearer ", null)]
    [InlineData("Basic abc", null)]
    [InlineData("", null)]
    public void PresentedKey_OfHeader(string header, string? key)
    {
        var headers = new HeaderDictionary { ["Authorization"] = header };
        Assert.Equal(key, PresentedKey.Of(headers));
    }

    [Fact]
    public void PresentedKey_SeveralHeaders_IsNone() =>
        Assert.Null(PresentedKey.Of(new HeaderDictionary { ["Authorization"] = new(["Bearer a", "Bearer b"]) }));

    [Theory]
    [InlineData("127.0.0.1", null, false, true, true)]
    [InlineData("::1", null, false, true, true)]
    [InlineData("0.0.0.0", null, false, true, false)]
    [InlineData("127.0.0.1", "127.0.0.1:9100", false, true, false)]
    [InlineData("0.0.0.0", "127.0.0.1:9100", false, true, false)]
    [InlineData("0.0.0.0", "127.0.0.1:9100", true, false, true)]
    public void IsServed_AdminAndApi(string bind, string? admin, bool isAdminConnection, bool isApi, bool isAdmin)
    {
        var options = new RouterOptions { Bind = bind, Access = new RouterAccess { AdminListen = admin is null ? null : System.Net.IPEndPoint.Parse(admin) } };
        Assert.Equal(isApi, AccessGate.IsServed(Surface.Api, isAdminConnection, options));
        Assert.Equal(isAdmin, AccessGate.IsServed(Surface.Admin, isAdminConnection, options));
        Assert.True(AccessGate.IsServed(Surface.Anywhere, isAdminConnection, options));
    }

    private static KeyVerdict.Unknown Unknown(KeyRing ring, string? secret, DateTimeOffset now) =>
        Assert.IsType<KeyVerdict.Unknown>(KeyVerdict.Of(ring, secret, KeyScope.Chat, now));
}
