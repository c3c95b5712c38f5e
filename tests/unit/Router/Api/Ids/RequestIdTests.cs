using System.Text;
using CsCheck;
using Parallax.Router.Api.Ids;

namespace Parallax.UnitTests.Router.Api.Ids;

public class RequestIdTests
{
    private static readonly byte[] Nonce = [.. Enumerable.Range(1, RequestId.NonceLength).Select(static i => (byte)i)];

    [Fact]
    public void ToString_IsShort_AndTheSameEverywhere()
    {
        // A constant: routers of different versions of .NET, or on other machines, must agree.
        var id = Claim("key", "body").ToId(Nonce);

        Assert.Equal("chatcmpl-AQIDBAUGBwgJCgsM", id.ToString()[..25]);
        Assert.Equal(RequestId.TextLength, id.ToString().Length);
        Assert.Equal(41, RequestId.TextLength);
    }

    [Fact]
    public void TryParse_WhatWasWritten_IsTheSameId() =>
        Gen.Select(Gen.Byte.Array[RequestId.NonceLength], Gen.String, Gen.String).Sample((nonce, key, body) =>
        {
            var id = Claim(key, body).ToId(nonce);

            Assert.True(RequestId.TryParse(id.ToString(), out var read));
            Assert.Equal(id, read);
            Assert.Equal(ClaimMismatch.None, Claim(key, body).Compare(read));
        });

    [Theory]
    [InlineData("")]
    [InlineData("chatcmpl-")]
    [InlineData("chatcmpl-0123456789abcdef0123456789abcde")]
    [InlineData("chatcmpl-0123456789abcdef0123456789abcdef0")]
    [InlineData("chatcmpl-0123456789abcdef 123456789abcdef")]
    [InlineData("chatcmpl-0123456789abcdef+123456789abcdef")]
    [InlineData("chatcmpl-0123456789abcdef=123456789abcdef")]
    [InlineData("chatcmpl-0123456789abcdef\u00e9123456789abcdef")]
    [InlineData("CHATCMPL-0123456789abcdef0123456789abcdef")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(RequestId.TryParse(text, out _));

    [Fact]
    public void TryParse_AnyText_IsRefusedOrCanonical() =>
        Gen.Select(Gen.Int[0, 40], Gen.Char).Sample((at, changed) =>
        {
            var text = Claim("k", "b").ToId(Nonce).ToString().ToCharArray();
            text[at] = changed;

            if (RequestId.TryParse(text, out var id))
            {
                Assert.Equal(new string(text), id.ToString());
            }
        });

    [Fact]
    public void Compare_OtherBodyOrKey_SaysWhich()
    {
        var id = Claim("key", "body").ToId(Nonce);

        Assert.Equal(ClaimMismatch.None, Claim("key", "body").Compare(id));
        Assert.Equal(ClaimMismatch.Body, Claim("key", "body ").Compare(id));
        Assert.Equal(ClaimMismatch.Key, Claim("Key", "body").Compare(id));
        Assert.Equal(ClaimMismatch.Key, Claim("", "body").Compare(id));
        Assert.Equal(ClaimMismatch.Body, Claim("Key", "").Compare(id));
    }

    [Fact]
    public void Derived_FollowFromAllOfIdKeyAndBody()
    {
        var claim = Claim("key", "body");
        var id = claim.ToId(Nonce);
        var others = new (RequestClaim Claim, RequestId Id)[]
        {
            (Claim("key2", "body"), id), // an id that was meant for another key, taken as it is
            (Claim("key", "body2"), id),
            (claim, claim.ToId(Nonce.Reverse().ToArray())),
        };

        Assert.Equal(claim.Seed(id), Claim("key", "body").Seed(id));
        Assert.Equal(claim.Session(id, 7, 1), Claim("key", "body").Session(id, 7, 1));
        Assert.Equal(4, others.Select(static other => other.Claim.Seed(other.Id)).Append(claim.Seed(id)).Distinct().Count());
        Assert.Equal(6, others.Select(static other => other.Claim.Session(other.Id, 7, 1))
            .Concat([claim.Session(id, 7, 0), claim.Session(id, 8, 1), claim.Session(id, 7, 1)]).Distinct().Count());
    }

    [Fact]
    public void ToId_OfAnIdempotencyKey_IsTheSameForTheSameClaimOnly()
    {
        var id = Claim("key", "body").ToId("order 1");

        Assert.Equal(id, Claim("key", "body").ToId("order 1"));
        Assert.NotEqual(id, Claim("key", "body").ToId("order 2"));
        Assert.NotEqual(id.Nonce.ToArray(), Claim("other", "body").ToId("order 1").Nonce.ToArray());
        Assert.NotEqual(id.Nonce.ToArray(), Claim("key", "other").ToId("order 1").Nonce.ToArray());
        Assert.Equal(ClaimMismatch.None, Claim("key", "body").Compare(id));
    }

    [Fact]
    public void Scope_IsEachKeysOwn_WhateverTheBody()
    {
        Assert.Equal(Claim("key", "a").Scope("order"), Claim("key", "b").Scope("order"));
        Assert.NotEqual(Claim("key", "a").Scope("order"), Claim("other", "a").Scope("order"));
        Assert.NotEqual(Claim("key", "a").Scope("order"), Claim("key", "a").Scope("order2"));
    }

    private static RequestClaim Claim(string key, string body) => new(key, Encoding.UTF8.GetBytes(body));
}
