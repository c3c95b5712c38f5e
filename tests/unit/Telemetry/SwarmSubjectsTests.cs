using CsCheck;
using Parallax.Contracts.Subjects;

namespace Parallax.UnitTests.Telemetry;

public sealed class SwarmSubjectsTests
{
    private readonly SwarmSubjects _subjects = new("home");

    [Fact]
    public void Subjects_AreThoseOfTheSwarm()
    {
        Assert.Equal("parallax.home.worker.abc.telemetry", _subjects.Telemetry("abc"));
        Assert.Equal("parallax.home.worker.abc.record", _subjects.Record("abc"));
        Assert.Equal("parallax.home.worker.*.telemetry", _subjects.AnyTelemetry);
        Assert.Equal("parallax.home.worker.*.record", _subjects.AnyRecord);
        Assert.Equal("parallax.home.worker.abc.kv", _subjects.Blocks("abc"));
        Assert.Equal("parallax.home.worker.abc.kv-ask", _subjects.BlockAsk("abc"));
        Assert.Equal("parallax.home.worker.*.kv", _subjects.AnyBlocks);
        Assert.Equal("abc", _subjects.WorkerOf(_subjects.Blocks("abc")));
        Assert.Equal("abc", _subjects.WorkerOf(_subjects.BlockAsk("abc")));
        Assert.Equal("parallax.home.plan", _subjects.Plan);
        Assert.Equal("parallax.home.revocations", _subjects.Revocations);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("*")]
    [InlineData(">")]
    [InlineData("a b")]
    [InlineData("a\r\nPUB x 0")]
    [InlineData("a\t")]
    [InlineData("é")]
    public void Names_ThatAreNoToken_AreRefused(string text)
    {
        Assert.Throws<ArgumentException>(() => new SwarmSubjects(text));
        Assert.Throws<ArgumentException>(() => _subjects.Telemetry(text));
        Assert.Throws<ArgumentException>(() => _subjects.Record(text));
    }

    [Fact]
    public void Names_AreBounded()
    {
        Assert.True(SwarmSubjects.IsToken(new string('a', SwarmSubjects.MaxTokenLength)));
        Assert.False(SwarmSubjects.IsToken(new string('a', SwarmSubjects.MaxTokenLength + 1)));
        Assert.False(SwarmSubjects.IsToken(null));
    }

    [Fact]
    public void WorkerOf_ItsSubjects_IsTheWorker() =>
        Gen.Char["abzAZ019-_"].Array[1, 40].Select(static chars => new string(chars)).Sample(id =>
            _subjects.WorkerOf(_subjects.Telemetry(id)) == id && _subjects.WorkerOf(_subjects.Record(id)) == id);

    [Theory]
    [InlineData("parallax.home.plan")]
    [InlineData("parallax.home.worker..record")]
    [InlineData("parallax.home.worker.record")]
    [InlineData("parallax.home.worker.a.b.record")]
    [InlineData("parallax.home.worker.a.blocks")]
    [InlineData("parallax.other.worker.a.record")]
    [InlineData("")]
    public void WorkerOf_OtherSubjects_IsNull(string subject) => Assert.Null(_subjects.WorkerOf(subject));
}
