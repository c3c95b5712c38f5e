using CsCheck;
using Parallax.Identity;
using Parallax.Identity.Tokens;

namespace Parallax.UnitTests.Identity;

public sealed class JoinTokenTests : IDisposable
{
    private readonly IdentityFixture _swarm = new();

    public void Dispose() => _swarm.Dispose();

    [Fact]
    public void Parse_TextOfAToken_GivesTheSameTokenAndIsSignedByTheSwarm()
    {
        var token = _swarm.Token(roles: MemberRoles.Worker | MemberRoles.Router);

        var read = JoinToken.Parse($"  {token}\n");

        Assert.Equal(
            (token.Swarm, token.Bootstrap, token.Roles, token.Expires, token.Id, token.ToString()),
            (read.Swarm, read.Bootstrap, read.Roles, read.Expires, read.Id, read.ToString()));
        Assert.Equal(_swarm.SwarmKey.Id, read.Swarm);
        Assert.True(read.IsSignedBy(_swarm.SwarmKey.PublicKey.Span));
    }

    [Fact]
    public void Parse_OneCharacterReplacedAtAnyPosition_IsRecognised()
    {
        var text = _swarm.Token().ToString();
        foreach (var (position, wrong) in Enumerable.Range(0, text.Length).SelectMany(i => "Aaz09-_+ é".Select(c => (i, c))).Where(p => text[p.i] != p.c))
        {
            var damaged = text[..position] + wrong + text[(position + 1)..];
            var error = Assert.Throws<JoinTokenException>(() => JoinToken.Parse(damaged));
            // A blank at the very end is taken for a blank behind the token, so that it is one short.
            var expected = position < JoinToken.Prefix.Length ? "begins with plx1_" : wrong == ' ' && position == text.Length - 1 ? "cut short" : "mistyped";
            Assert.True(error.Message.Contains(expected, StringComparison.Ordinal), $"{position} '{wrong}': {error.Message}");
        }
    }

    [Fact]
    public void Parse_CharacterLeftOutOrDoubledOrSwapped_IsRecognised()
    {
        var text = _swarm.Token().ToString();
        for (var i = JoinToken.Prefix.Length; i < text.Length; i++)
        {
            Assert.Contains("cut short", Assert.Throws<JoinTokenException>(() => JoinToken.Parse(text.Remove(i, 1))).Message, StringComparison.Ordinal);
            Assert.Contains("too long", Assert.Throws<JoinTokenException>(() => JoinToken.Parse(text.Insert(i, text[i].ToString()))).Message, StringComparison.Ordinal);
            if (i + 1 < text.Length && text[i] != text[i + 1])
            {
                var swapped = $"{text[..i]}{text[i + 1]}{text[i]}{text[(i + 2)..]}";
                Assert.Contains("mistyped", Assert.Throws<JoinTokenException>(() => JoinToken.Parse(swapped)).Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Parse_AnyText_IsATokenOrAJoinTokenException() =>
        Gen.OneOf(Gen.String, Gen.Char['-', 'z'].Array[168].Select(static c => JoinToken.Prefix + new string(c))).Sample(static text =>
        {
            try
            {
                JoinToken.Parse(text);
            }
            catch (JoinTokenException)
            {
                // What a text that is none must give.
            }
        });

    [Fact]
    public void IsSignedBy_KeyOfAnotherSwarm_IsFalse()
    {
        using var other = PeerKey.Create();

        Assert.False(_swarm.Token().IsSignedBy(other.PublicKey.Span));
        Assert.False(_swarm.Token().IsSignedBy([]));
        Assert.False(_swarm.Token(by: other).IsSignedBy(_swarm.SwarmKey.PublicKey.Span));
    }
}
