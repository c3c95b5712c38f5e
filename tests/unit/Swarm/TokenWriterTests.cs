using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Identity.Tokens;
using Parallax.Swarm.Joining;
using Parallax.UnitTests.Identity;

namespace Parallax.UnitTests.Swarm;

public sealed class TokenWriterTests : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(2);
    private readonly IdentityFixture _swarm = new();

    private DateTimeOffset Now => _swarm.Clock.GetUtcNow();

    public void Dispose() => _swarm.Dispose();

    [Fact]
    public void A_token_stays_for_half_of_its_life()
    {
        Assert.True(MayStay(TokenFor(Now + Life)));
        Assert.True(MayStay(TokenFor(Now + (Life / 2) + TimeSpan.FromSeconds(1))));
        Assert.False(MayStay(TokenFor(Now + (Life / 2) - TimeSpan.FromSeconds(1))));
        Assert.False(MayStay(TokenFor(Now - Life)));
    }

    [Fact]
    public void A_token_of_others_or_for_others_is_replaced()
    {
        var token = TokenFor(Now + Life);
        Assert.False(TokenWriter.MayStay($"{token}", Other(), _swarm.SwarmKey.Id, MemberRoles.Worker, static _ => false, Now, Life));
        Assert.False(TokenWriter.MayStay($"{token}", _swarm.SwarmKey.Id, Other(), MemberRoles.Worker, static _ => false, Now, Life));
        Assert.False(TokenWriter.MayStay($"{token}", _swarm.SwarmKey.Id, _swarm.SwarmKey.Id, MemberRoles.Router, static _ => false, Now, Life));
        Assert.False(TokenWriter.MayStay($"{token}", _swarm.SwarmKey.Id, _swarm.SwarmKey.Id, MemberRoles.Worker, id => id == token.Id, Now, Life));
    }

    [Theory]
    [InlineData("")]
    [InlineData("plx1_")]
    [InlineData("rubbish")]
    public void What_is_no_token_is_replaced(string text) =>
        Assert.False(TokenWriter.MayStay(text, _swarm.SwarmKey.Id, _swarm.SwarmKey.Id, MemberRoles.Worker, static _ => false, Now, Life));

    [Fact]
    public void Half_a_file_is_replaced()
    {
        var text = $"{TokenFor(Now + Life)}";
        Assert.False(TokenWriter.MayStay(text[..(text.Length / 2)], _swarm.SwarmKey.Id, _swarm.SwarmKey.Id, MemberRoles.Worker, static _ => false, Now, Life));
    }

    private bool MayStay(JoinToken token) =>
        TokenWriter.MayStay($"{token}\n", _swarm.SwarmKey.Id, _swarm.SwarmKey.Id, MemberRoles.Worker, static _ => false, Now, Life);

    private JoinToken TokenFor(DateTimeOffset expires) =>
        JoinToken.Sign(_swarm.SwarmKey, _swarm.SwarmKey.Id, MemberRoles.Worker, expires, TokenId.Create());

    private static PeerId Other() => new([.. Enumerable.Repeat((byte)7, PeerId.Size)]);
}
