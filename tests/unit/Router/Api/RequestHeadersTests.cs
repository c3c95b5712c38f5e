using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Parallax.Router.Api;

namespace Parallax.UnitTests.Router.Api;

public class RequestHeadersTests
{
    [Fact]
    public void Read_None_IsEmpty() => Assert.Equal(new RequestHeaders("", null, null), Read());

    [Theory]
    [InlineData("Bearer sk-1", "sk-1")]
    [InlineData("bearer  sk-1 ", "sk-1")]
    [InlineData("Basic abc", "Basic abc")]
    [InlineData("", "")]
    public void Read_Authorization_IsTheKey(string value, string key) => Assert.Equal(key, Read(("Authorization", value)).ApiKey);

    [Fact]
    public void Read_EmptyLastEventId_IsNone() => Assert.Null(Read(("Last-Event-ID", "")).LastEventId);

    [Fact]
    public void Read_Values_AreTaken()
    {
        var headers = Read(("Last-Event-ID", "a:b,c"), ("Idempotency-Key", "order 1"));

        Assert.Equal("a:b,c", headers.LastEventId);
        Assert.Equal("order 1", headers.IdempotencyKey);
    }

    [Fact]
    public void Read_HostileValues_AreRefusedByName()
    {
        Assert.Equal("Last-Event-ID", Refused(("Last-Event-ID", new string('a', RequestHeaders.MaxLastEventIdLength + 1))));
        Assert.Equal("Last-Event-ID", Refused(("Last-Event-ID", "a\tb")));
        Assert.Equal("Last-Event-ID", Refused(("Last-Event-ID", new StringValues(["a", "b"]))));
        Assert.Equal("Idempotency-Key", Refused(("Idempotency-Key", "")));
        Assert.Equal("Idempotency-Key", Refused(("Idempotency-Key", "ü")));
        Assert.Equal("Idempotency-Key", Refused(("Idempotency-Key", new string('a', RequestHeaders.MaxIdempotencyKeyLength + 1))));
        Assert.Equal("Idempotency-Key", Refused(("Idempotency-Key", new StringValues(["a", "a"]))));
    }

    private static string? Refused((string Name, StringValues Value) header)
    {
        var error = Assert.Throws<ApiException>(() => Read(header));
        Assert.Equal(400, error.Status);
        return error.Param;
    }

    private static RequestHeaders Read(params (string Name, StringValues Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            dictionary[name] = value;
        }

        return RequestHeaders.Read(dictionary);
    }
}
