using CsCheck;
using Parallax.Runtime.Tokenization.Normalization;

namespace Parallax.UnitTests.Tokenization;

public sealed class CanonicalNormalizerTests
{
    private static readonly CanonicalNormalizer Composed = new(compose: true);
    private static readonly CanonicalNormalizer Decomposed = new(compose: false);

    [Theory]
    [InlineData("e\u0301", "\u00E9", "e\u0301")]
    [InlineData("\u212B", "\u00C5", "A\u030A")]                          // the Ångström sign: a singleton
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307")]   // reordered, and back
    [InlineData("q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("\uD55C", "\uD55C", "\u1112\u1161\u11AB")]               // Hangul, three jamo
    [InlineData("\u1112\u1161", "\uD558", "\u1112\u1161")]
    [InlineData("\uD558\u11AB", "\uD55C", "\u1112\u1161\u11AB")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C")]               // excluded from composition
    [InlineData("\u0344", "\u0308\u0301", "\u0308\u0301")]
    [InlineData("a\u0315\u0300\u05AE\u0300", "\u00E0\u05AE\u0300\u0315", "a\u05AE\u0300\u0300\u0315")]
    [InlineData("\u0301e", "\u0301e", "\u0301e")]
    [InlineData("o\u0328\u0304", "\u01ED", "o\u0328\u0304")]
    [InlineData("a\u05B0\u0302", "\u00E2\u05B0", "a\u05B0\u0302")]       // a mark of another class between does not block
    [InlineData("\U0001D15E", "\U0001D157\U0001D165", "\U0001D157\U0001D165")]
    [InlineData("\U000110A5\U000110BA", "\U000110AB", "\U000110A5\U000110BA")]
    [InlineData("plain ASCII, 你好 😀", "plain ASCII, 你好 😀", "plain ASCII, 你好 😀")]
    public void Normalize_KnownText_HasItsForms(string text, string composed, string decomposed)
    {
        Assert.Equal(composed, Composed.Normalize(text));
        Assert.Equal(decomposed, Decomposed.Normalize(text));
    }

    [Fact]
    public void Normalize_AnyText_IsAFixedPointAndFormsAgree() =>
        Gen.String[Gen.Char["aeoq\u00E9\u01ED\u1EA5\u0301\u0323\u0307\u0328\u0302\u05B0\u0315가각\u1100\u1161\u11A8\u11A7\u0915\u093C\u0958你"], 0, 12]
            .Sample(text =>
            {
                var composed = Composed.Normalize(text);
                var decomposed = Decomposed.Normalize(text);
                return Composed.Normalize(composed) == composed
                    && Decomposed.Normalize(decomposed) == decomposed
                    && Composed.Normalize(decomposed) == composed
                    && Decomposed.Normalize(composed) == decomposed;
            });

    [Fact]
    public void Normalize_ARunOfManyMarks_TakesLinearTime()
    {
        var text = "a" + string.Concat(Enumerable.Repeat("\u0301\u0323", 200_000));
        var composed = Composed.Normalize(text);
        Assert.StartsWith("\u1EA1\u0323", composed, StringComparison.Ordinal); // ạ, then the other dots, then the accents
        Assert.Equal(text.Length - 1, composed.Length);
    }

    [Fact]
    public void Normalize_UnchangedText_IsTheSameObject()
    {
        const string Text = "Ångström, 你好, 한국어, Ελλάδα";
        Assert.Same(Text, Composed.Normalize(Text));
    }
}
