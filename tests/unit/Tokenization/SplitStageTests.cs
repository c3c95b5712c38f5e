using System.Text.RegularExpressions;
using CsCheck;
using Parallax.Runtime.Tokenization.Splitting;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Tokenization;

public sealed class SplitStageTests
{
    private const string Alphabet = " \t\r\n  '’sStTrReEvVmMlLdDabcxyXYZ019½Ⅷ一二あア你é\u0301ʰǅ!\"#/\\_-.~<|>\u00a0\u2003\u0085ß";

    public static TheoryData<string> Patterns() =>
    [
        KnownPatterns.Gpt2, KnownPatterns.Llama3, KnownPatterns.Qwen2, KnownPatterns.Qwen35, KnownPatterns.SeedCoder,
        KnownPatterns.Gpt4o, KnownPatterns.Tekken, KnownPatterns.DeepSeekV3, KnownPatterns.ChineseOrJapanese,
        KnownPatterns.Punctuation, @"a+?b|a*?c|(?:ab|a)(?:c|bcd)?|x{2,4}?y|(?=[ab])[^a]|\s{2,}", @"[a-c\-\d]+|[^\p{L}\s]{1,2}|.",
        @"(?i:[^a-f]x)|(?i)sT|\x41\u0042", @"(a|ab)(c|bcd|)(d*)", @"(?:a?){3}b|(?:a*)*c|x*?",
    ];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Split_AnyPattern_FindsWhatABacktrackingEngineFinds(string pattern)
    {
        var stage = SplitStage.OfRegex(pattern, "file");
        var regex = new Regex(pattern, RegexOptions.CultureInvariant);
        Gen.String[Gen.Char[Alphabet], 0, 30].Sample(
            text =>
            {
                var expected = regex.Matches(text).Where(match => match.Length > 0).Select(match => match.Value);
                return Matches(stage, text).SequenceEqual(expected);
            },
            iter: 3000);
    }

    [Fact]
    public void Split_CodePointsAboveU10000_HaveTheirOwnCategories()
    {
        // A mathematical letter, an emoji, a digit, a mark, a Gothic letter.
        var stage = SplitStage.OfRegex(@"\p{L}+|\p{Nd}|\p{M}|[\U0001F600-\U0001F64F]+".Replace(@"\U0001F600-\U0001F64F", "😀-🙏", StringComparison.Ordinal), "file");
        Assert.Equal(["𝒳a", "😀🙏", "𝟙", "𐍈"], Matches(stage, "𝒳a😀🙏𝟙🀄𐍈"));
        Assert.Equal(["\U0001E000"], Matches(stage, "\U0001E000")); // a combining letter: a mark
    }

    [Fact]
    public void Split_PossessiveQuantifier_GivesNothingBack()
    {
        Assert.Equal(["aaa"], Matches(SplitStage.OfRegex("a++a|a+", "file"), "aaa"));
        Assert.Equal(["b", "b"], Matches(SplitStage.OfRegex("a*+b", "file"), "bcb"));
        Assert.Equal(["ab"], Matches(SplitStage.OfRegex("a?+ab|ab", "file"), "ab"));
    }

    [Fact]
    public void Split_IntersectionOfSets_IsWhatBothHave() =>
        Assert.Equal(["ae", "u"], Matches(SplitStage.OfRegex(@"[\p{Ll}&&[aeiou]]+", "file"), "aebxuA"));

    [Fact]
    public void Split_WordCharacters_AreThoseOfUnicode() =>
        Assert.Equal(["aé你_1٣Ⅷe\u0301Ⓐ"], Matches(SplitStage.OfRegex(@"\w+", "file"), "½aé你_1٣Ⅷe\u0301Ⓐ½-"));

    [Fact]
    public void Split_LongSUnderIgnoreCase_IsAnS() =>
        Assert.Equal(["'ſ", "'K"], Matches(SplitStage.OfRegex("(?i:'s|'k)", "file"), "'ſ 'K"));

    [Theory]
    [InlineData("Isolated", false, "a|--|b|-|c|-")]
    [InlineData("Isolated", true, "a|--|b|-|c|-")]
    [InlineData("Removed", false, "a|b|c")]
    [InlineData("Removed", true, "--|-|-")]
    [InlineData("MergedWithPrevious", false, "a--|b-|c-")]
    [InlineData("MergedWithNext", false, "a|--b|-c|-")]
    [InlineData("MergedWithPrevious", true, "a|--b|-c|-")]
    [InlineData("Contiguous", false, "a|--|b|-|c|-")]
    public void Split_Behavior_JoinsMatchesAsNamed(string behavior, bool invert, string expected)
    {
        var stage = SplitStage.OfRegex("-+", "file", Enum.Parse<SplitBehavior>(behavior), invert);
        Assert.Equal(expected, string.Join('|', Pieces(stage, "a--b-c-")));
    }

    [Theory]
    [InlineData("Isolated", "a|-|-|b")]
    [InlineData("MergedWithPrevious", "a-|-|b")]
    [InlineData("MergedWithNext", "a|-|-b")]
    [InlineData("Contiguous", "a|--|b")]
    public void Split_MatchesThatTouch_JoinAtMostOne(string behavior, string expected)
    {
        var stage = SplitStage.OfLiteral("-", "file", Enum.Parse<SplitBehavior>(behavior));
        Assert.Equal(expected, string.Join('|', Pieces(stage, "a--b")));
    }

    [Fact]
    public void Split_AnyBehaviorButRemoved_LosesNothing() =>
        Gen.Select(Gen.String["ab -"], Gen.Enum<SplitBehavior>(), Gen.Bool).Sample((text, behavior, invert) =>
            behavior == SplitBehavior.Removed
            || string.Concat(Pieces(SplitStage.OfRegex("-|b+", "file", behavior, invert), text)) == text);

    [Theory]
    [InlineData("(?<=a)b", "(?<=")]
    [InlineData("(?<!a)b", "(?<!")]
    [InlineData("(?>a)", "(?>")]
    [InlineData("a$", "'$'")]
    [InlineData("^a", "'^'")]
    [InlineData(@"(a)\1", @"\1")]
    [InlineData(@"\bword", @"\b")]
    [InlineData(@"\p{Han}", "Han")]
    [InlineData("(?!ab)c", "look-ahead")]
    [InlineData("(?:ab)++", "possessive")]
    [InlineData("a{1,3}+", "{…}+")]
    [InlineData("[[:alpha:]]", "POSIX")]
    [InlineData("[a", "']'")]
    [InlineData("(a", "')'")]
    [InlineData("a)", "')'")]
    [InlineData("*a", "'*'")]
    [InlineData("[z-a]", "range")]
    [InlineData("[]", "empty class")]
    [InlineData("a{2000}", "2000")]
    [InlineData("(?:(?:a{100}){100}){100}", "too large")]
    [InlineData("(?:a|b)*a(?:a|b){20}c", "states")]
    [InlineData(@"\", @"\")]
    public void OfRegex_UnsupportedOrMalformed_IsRefusedByName(string pattern, string named)
    {
        var error = Assert.Throws<PatternException>(() => SplitStage.OfRegex(pattern, "file"));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfRegex_TooDeepLongOrLarge_IsRefused()
    {
        Assert.Throws<PatternException>(() => SplitStage.OfRegex(new string('(', 1000), "file"));
        Assert.Throws<PatternException>(() => SplitStage.OfRegex(new string('a', 100_000), "file"));
        var manySets = string.Concat(Enumerable.Range(0x4E00, 300).Select(point => (char)point));
        Assert.Throws<PatternException>(() => SplitStage.OfRegex(manySets, "file"));
    }

    [Fact]
    public void OfRegex_AnyText_ParsesOrIsRefused() =>
        Gen.String["ab(?:)[]^&|*+?{}1,9\\psdLi-!=. "].Sample(pattern =>
        {
            try
            {
                Pieces(SplitStage.OfRegex(pattern, "file"), "ab1 aab");
            }
            catch (PatternException)
            {
                // Refused: the alternative to a working stage.
            }
        });

    [Fact]
    public void Split_PatternOfQuadraticTime_IsStopped()
    {
        var stage = SplitStage.OfRegex("a*b", "model/tokenizer.json");
        var error = Assert.Throws<ModelFormatException>(() => Pieces(stage, new string('a', 200_000)));
        Assert.Contains("a*b", error.Message, StringComparison.Ordinal);
        Assert.Contains("model/tokenizer.json", error.Message, StringComparison.Ordinal);
    }

    private static List<string> Pieces(SplitStage stage, string text)
    {
        var result = new List<string>();
        foreach (var piece in stage.Split(text))
        {
            result.Add(text[piece]);
        }

        return result;
    }

    private static List<string> Matches(SplitStage stage, string text)
    {
        var result = new List<string>();
        var pieces = stage.Split(text);
        while (pieces.MoveNext())
        {
            if (pieces.IsMatch)
            {
                result.Add(text[pieces.Current]);
            }
        }

        return result;
    }
}
