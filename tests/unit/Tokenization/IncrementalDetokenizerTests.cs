using System.Text;
using CsCheck;
using Parallax.Runtime.Tokenization;
using Parallax.Testing;

namespace Parallax.UnitTests.Tokenization;

public sealed class IncrementalDetokenizerTests
{
    private static readonly Gen<byte[][]> AnyTokens = Gen.OneOf(
        Cut(Gen.String[Gen.Char["ab é你\n"], 0, 40]),
        Cut(Gen.Const("😀a😁 👩‍👧 ab")),
        Gen.Byte.Array[0, 5].Array[0, 20]); // not UTF-8 at all

    private static readonly string[] TypicalStops = ["😁", "aab", "abab", "\n\n", "a", "\uFFFD"];

    private static readonly Gen<string[]> AnyStops = Gen.OneOf(
        Gen.String[Gen.Char["ab é你\n"], 1, 5],
        Gen.Int[0, TypicalStops.Length - 1].Select(i => TypicalStops[i])).Array[0, 4];

    [Fact]
    public void Append_AnyTokensAndStops_TextIsThatOfDecodeUpToTheStop() =>
        Gen.Select(AnyTokens, AnyStops, Gen.Int[0, 2]).Sample((tokens, stops, leadingSpaces) =>
        {
            var tokenizer = new FakeTokenizer(tokens, leadingSpaces);
            var detokenizer = new IncrementalDetokenizer(tokenizer, stops);
            var given = new StringBuilder();
            for (var i = 0; i < tokens.Length; i++)
            {
                given.Append(detokenizer.Append(i));
            }

            given.Append(detokenizer.Flush());
            var (text, stop) = Define(tokenizer.Decode([.. Enumerable.Range(0, tokens.Length)]), stops);
            return given.ToString() == text && detokenizer.StopString == stop;
        });

    [Fact]
    public void Append_AnyTokensAndStops_HoldsBackNoMoreThanItMust() =>
        Gen.Select(AnyTokens, AnyStops).Sample((tokens, stops) =>
        {
            var detokenizer = new IncrementalDetokenizer(new FakeTokenizer(tokens), stops);
            var utf8 = Encoding.UTF8.GetDecoder();
            var whole = new StringBuilder();
            var given = new StringBuilder();
            var characters = new char[64];
            for (var i = 0; i < tokens.Length && detokenizer.StopString is null; i++)
            {
                given.Append(detokenizer.Append(i));
                whole.Append(characters, 0, utf8.GetChars(tokens[i], characters, flush: false));
                var text = whole.ToString();
                var held = detokenizer.StopString is null
                    ? stops.SelectMany(stop => Enumerable.Range(1, stop.Length - 1).Where(n => text.EndsWith(stop[..n], StringComparison.Ordinal)))
                        .DefaultIfEmpty(0).Max()
                    : text.Length - given.Length;
                if (given.ToString() != text[..^held])
                {
                    return false;
                }
            }

            return true;
        });

    [Fact]
    public void Append_ACharacterInPieces_ComesWithItsLastByte()
    {
        var detokenizer = new IncrementalDetokenizer(new FakeTokenizer([[0xF0, 0x9F], [0x98], [0x80], [0xE4, 0xBD]]));
        Assert.Equal("", detokenizer.Append(0).ToString());
        Assert.Equal("", detokenizer.Append(1).ToString());
        Assert.Equal("😀", detokenizer.Append(2).ToString());
        Assert.Equal("", detokenizer.Append(3).ToString());
        Assert.Equal("\uFFFD", detokenizer.Flush().ToString());
    }

    [Fact]
    public void Append_AStopStringOverTokens_CutsTheTextBeforeIt()
    {
        var detokenizer = new IncrementalDetokenizer(FakeTokenizer.Of("Hello <", "/en", "d", "> more"), ["</end>"]);
        Assert.Equal("Hello ", detokenizer.Append(0).ToString());
        Assert.Equal("", detokenizer.Append(1).ToString());
        Assert.Equal("", detokenizer.Append(2).ToString());
        Assert.Null(detokenizer.StopString);
        Assert.Equal("", detokenizer.Append(3).ToString());
        Assert.Equal("</end>", detokenizer.StopString);
        Assert.Equal("", detokenizer.Append(0).ToString());
        Assert.Equal("", detokenizer.Flush().ToString());
    }

    [Fact]
    public void Append_WhatWasHeldIsNoStop_ComesOut()
    {
        var detokenizer = new IncrementalDetokenizer(FakeTokenizer.Of("aa", "b", "aa"), ["aac"]);
        Assert.Equal("", detokenizer.Append(0).ToString());
        Assert.Equal("aab", detokenizer.Append(1).ToString());
        Assert.Equal("", detokenizer.Append(2).ToString());
        Assert.Equal("aa", detokenizer.Flush().ToString());
    }

    [Fact]
    public void Append_LeadingSpaces_AreStrippedOnceAndOnlyAtTheStart()
    {
        var detokenizer = new IncrementalDetokenizer(new FakeTokenizer([[], " "u8.ToArray(), " a"u8.ToArray()], leadingSpaces: 1));
        Assert.Equal("", detokenizer.Append(0).ToString());
        Assert.Equal("", detokenizer.Append(1).ToString());
        Assert.Equal(" a", detokenizer.Append(2).ToString());
        Assert.Equal(" a", detokenizer.Append(2).ToString());
    }

    [Fact]
    public void Append_SpecialAndUnknownIds_AddNothing()
    {
        var tokenizer = new FakeTokenizer(["<s>"u8.ToArray(), "a"u8.ToArray()], special: new HashSet<int> { 0 });
        var plain = new IncrementalDetokenizer(tokenizer);
        Assert.Equal("", plain.Append(0).ToString());
        Assert.Equal("", plain.Append(-1).ToString());
        Assert.Equal("", plain.Append(99).ToString());
        Assert.Equal("a", plain.Append(1).ToString());
        Assert.Equal("<s>", new IncrementalDetokenizer(tokenizer, skipSpecial: false).Append(0).ToString());
    }

    [Fact]
    public void Append_AfterFlush_IsRefused()
    {
        var detokenizer = new IncrementalDetokenizer(FakeTokenizer.Of("a"));
        detokenizer.Flush();
        Assert.Throws<InvalidOperationException>(() => detokenizer.Append(0).ToString());
    }

    [Fact]
    public void Constructor_BadStopString_IsRefused()
    {
        foreach (var stop in (string[])["", "a\uD83D", "\uDE00"])
        {
            Assert.Throws<ArgumentException>(() => new IncrementalDetokenizer(FakeTokenizer.Of("a"), [stop]));
        }
    }

    [Fact]
    public void Append_OnceWarm_AllocatesNothing()
    {
        var detokenizer = new IncrementalDetokenizer(FakeTokenizer.Of("word ", "你", "<|im"), ["<|im_end|>", "\n\n"]);
        Assert.Equal(0, Allocations.OfWarm(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                detokenizer.Append(i % 3);
            }
        }));
    }

    /// <summary>The text before the stop string that is complete first, of several the longest.</summary>
    private static (string Text, string? Stop) Define(string text, string[] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var stop = stops.Where(s => text.AsSpan(0, end).EndsWith(s, StringComparison.Ordinal)).MaxBy(s => s.Length);
            if (stop is not null)
            {
                return (text[..(end - stop.Length)], stop);
            }
        }

        return (text, null);
    }

    /// <summary>A text's UTF-8 cut anywhere.</summary>
    private static Gen<byte[][]> Cut(Gen<string> texts) => Gen.Select(texts, Gen.Int[1, 4].Array[200], (text, lengths) =>
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tokens = new List<byte[]>();
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(lengths[i % lengths.Length], bytes.Length - at);
            tokens.Add(bytes[at..(at + length)]);
            at += length;
        }

        return tokens.ToArray();
    });
}
