using CsCheck;
using Parallax.Router.Api.Ids;

namespace Parallax.UnitTests.Router.Api.Ids;

public class AnswerEventIdTests
{
    private static readonly RequestId Request = new RequestClaim("key", "body"u8).ToId("12 bytes, so"u8);
    private static readonly AnswerStamp Stamp = new(1_700_000_000, 4096, 0x01020304, 0xFFFEFDFC, 0xABCDEF);
    private static readonly string Head = $"{Request}:{Stamp}:";

    private static readonly Gen<ChoiceProgress> Progress = Gen.OneOf(
        Gen.Const(ChoiceProgress.Nothing),
        Gen.Select(Gen.Int[-1, 4095], Gen.Int[1, 3], static (index, part) => new ChoiceProgress(index, (ChoicePart)part)));

    [Fact]
    public void TryParse_WhatWasWritten_IsTheSameId() =>
        Gen.Select(Progress.Array[1, 128], Gen.Bool, Gen.Long[0, 253_402_300_799], Gen.UInt, Gen.UInt, Gen.Int[0, AnswerStamp.Runs - 1]).Sample((choices, isUsageSent, created, numerics, plan, run) =>
        {
            var id = new AnswerEventId(Request, new AnswerStamp(created, 4096, numerics, plan, run), [.. choices], isUsageSent);

            Assert.True(AnswerEventId.TryParse(id.ToString(), out var read));
            Assert.Equal(id.Request, read.Request);
            Assert.Equal(id.Stamp, read.Stamp);
            Assert.Equal(id.Choices.AsEnumerable(), read.Choices);
            Assert.Equal(isUsageSent, read.IsUsageSent);
        });

    [Theory]
    [InlineData("")]
    [InlineData(":u")]
    [InlineData(",")]
    [InlineData("1,")]
    [InlineData(",1")]
    [InlineData("-2")]
    [InlineData("-0")]
    [InlineData("--1")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("1 ")]
    [InlineData("1\0")]
    [InlineData(" 1")]
    [InlineData("1ff")]
    [InlineData("1tf")]
    [InlineData("f")]
    [InlineData("_f")]
    [InlineData("1x")]
    [InlineData("1:U")]
    [InlineData("1:u:u")]
    [InlineData("4096")]
    [InlineData("99999999999")]
    [InlineData("\u0661")]
    public void TryParse_HostileProgress_IsRefused(string progress) => Assert.False(AnswerEventId.TryParse(Head + progress, out _));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("chatcmpl-0123456789abcdef0123456789abcdef:-1")]
    [InlineData(":::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::")]
    public void TryParse_OtherTexts_AreRefused(string text) => Assert.False(AnswerEventId.TryParse(text, out _));

    [Fact]
    public void TryParse_MoreChoicesThanAnyRequestHas_IsRefused() =>
        Assert.False(AnswerEventId.TryParse(Head + string.Join(',', Enumerable.Repeat("1", 2000)), out _));

    [Fact]
    public void TryParse_AnyChangeOfOneCharacter_IsRefusedOrCanonical()
    {
        var text = $"{Head}17,-1,3f:u";
        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Char).Sample((at, changed) =>
        {
            var hostile = $"{text[..at]}{changed}{text[(at + 1)..]}";
            if (AnswerEventId.TryParse(hostile, out var id))
            {
                Assert.Equal(hostile, id.ToString());
            }
        });
    }

    [Fact]
    public void TryParse_AStampOfAnotherVersionOrTime_IsRefused()
    {
        Assert.False(AnswerEventId.TryParse($"{Request}:{new string('A', AnswerStamp.TextLength)}:1", out _)); // version 0
        Assert.False(AnswerEventId.TryParse($"{Request}:{new AnswerStamp(0xFF_FFFF_FFFF, 10, 0, 0, 0)}:1", out _));
        Assert.False(AnswerEventId.TryParse($"{Request}:{new AnswerStamp(5, -10, 0, 0, 0)}:-1", out _));
        Assert.False(AnswerEventId.TryParse($"{Request}:{new AnswerStamp(5, 0, 0, 0, 0)}:-1", out _));
    }

    [Fact]
    public void Compare_FollowsTheOrderOfEvents()
    {
        ChoiceProgress[] ordered =
        [
            ChoiceProgress.Nothing, ChoiceProgress.Opened, new(0, ChoicePart.Text), new(3, ChoicePart.Text), new(3, ChoicePart.Rest), new(3, ChoicePart.Finish),
        ];

        Assert.Equal(ordered, ordered.Reverse().Order());
    }
}
