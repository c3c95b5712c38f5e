using System.Text.Json.Nodes;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Testing;

namespace Parallax.UnitTests.Chaos;

public sealed class ChatQuestionsTests
{
    private static readonly ByteTokenizer Tokenizer = new();

    [Fact]
    public void Draw_SameSeed_SameQuestionsAndEachAnother()
    {
        var bodies = Bodies(seed: 3);
        Assert.Equal(bodies, Bodies(seed: 3));
        Assert.Equal(bodies.Length, bodies.Distinct().Count());
        Assert.Empty(bodies.Intersect(Bodies(seed: 4)));
    }

    [Fact]
    public void Draw_Eight_HoldAllSorts()
    {
        var questions = ChatQuestions.Draw("m", Tokenizer, 8, 40, 10, seed: 1);
        Assert.Equal(
            ["greedy", "sampled", "greedy, penalties", "sampled, penalties", "greedy, logprobs", "sampled, logprobs", "greedy, penalties, logprobs", "sampled, penalties, logprobs"],
            questions.Select(static question => question.What));
        Assert.All(questions, static question => Assert.Equal(question.What.StartsWith("sampled", StringComparison.Ordinal), question.Body.ContainsKey("seed")));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(500)]
    [InlineData(4000)]
    public void Text_Length_IsAboutWhatWasAskedFor(int tokens) =>
        Assert.InRange(Tokenizer.Encode(ChatQuestions.Text(Tokenizer, tokens, new Draws(1)), parseSpecial: false, addSpecial: false).Count, tokens, tokens + 10);

    [Fact]
    public void With_Salt_ChangesNothingElse()
    {
        var question = ChatQuestions.Draw("m", Tokenizer, 1, 40, 10, seed: 1)[0];
        var salted = JsonNode.Parse(question.With("x"))!.AsObject();
        Assert.Equal("x", salted["cache_salt"]!.GetValue<string>());
        salted.Remove("cache_salt");
        Assert.True(JsonNode.DeepEquals(question.Body, salted));
    }

    private static string[] Bodies(ulong seed) => [.. ChatQuestions.Draw("m", Tokenizer, 8, 40, 10, seed).Select(static question => question.With(""))];
}
