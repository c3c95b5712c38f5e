using Parallax.Cli.Chat;

namespace Parallax.UnitTests.Cli;

public sealed class ConversationTests
{
    [Fact]
    public void Answered_WithText_KeepsBothTurns()
    {
        var conversation = new Conversation("Be brief.");
        conversation.Ask("Hi");
        conversation.Answered("Hello");

        Assert.Equal([new("system", "Be brief."), new("user", "Hi"), new("assistant", "Hello")], conversation.Turns);
    }

    [Fact]
    public void Answered_WithNothing_TakesTheQuestionBack()
    {
        var conversation = new Conversation(null);
        conversation.Ask("Hi");
        conversation.Answered("");

        Assert.Empty(conversation.Turns);
    }

    [Fact]
    public void Answered_WithoutAQuestion_Throws() =>
        Assert.Throws<InvalidOperationException>(() => new Conversation("x").Answered("y"));

    [Fact]
    public void Reset_AfterTurns_KeepsTheSystemsOnly()
    {
        var conversation = new Conversation("Be brief.");
        conversation.Ask("Hi");
        conversation.Answered("Hello");
        conversation.Reset();

        Assert.Equal([new("system", "Be brief.")], conversation.Turns);
    }
}
