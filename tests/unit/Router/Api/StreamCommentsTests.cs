using Microsoft.Extensions.Time.Testing;
using Parallax.Router.Api;

namespace Parallax.UnitTests.Router.Api;

public class StreamCommentsTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly StreamComments _comments;

    public StreamCommentsTests() => _comments = new StreamComments(_clock);

    [Fact]
    public void Take_WhileNothingElseIsSent_IsAPingEveryFifteenSeconds()
    {
        Assert.Null(_comments.Take(null));
        _clock.Advance(TimeSpan.FromSeconds(14.999));
        Assert.Null(_comments.Take(null));
        Assert.Equal(TimeSpan.FromMilliseconds(1), _comments.UntilNext());

        _clock.Advance(_comments.UntilNext());
        Assert.Equal("ping", _comments.Take(null));
        Assert.Null(_comments.Take(null));
        Assert.Equal(StreamComments.SilenceTime, _comments.UntilNext());
    }

    [Fact]
    public void Take_AfterAnEvent_WaitsAnew()
    {
        _clock.Advance(TimeSpan.FromSeconds(10));
        _comments.OnSent();
        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Null(_comments.Take(null));
        Assert.Equal(TimeSpan.FromSeconds(5), _comments.UntilNext());
    }

    [Fact]
    public void Take_WhileTheAnswerWaits_SaysSoAtOnceAndEverySecond()
    {
        Assert.Equal("waiting for layers 0-2", _comments.Take("waiting for layers 0-2"));
        Assert.Null(_comments.Take("waiting for layers 0-2"));
        Assert.Equal(StreamComments.WaitingTime, _comments.UntilNext());

        _clock.Advance(StreamComments.WaitingTime);
        Assert.Equal("waiting for layers 0-2", _comments.Take("waiting for layers 0-2"));
        Assert.Equal("waiting for layers 1-2", _comments.Take("waiting for layers 1-2"));

        Assert.Null(_comments.Take(null));
        Assert.Equal(StreamComments.SilenceTime, _comments.UntilNext());
    }
}
