using System.Globalization;

namespace Parallax.Audit.Chain;

/// <summary>The names of streams in the event store.</summary>
public static class AuditStreams
{
    /// <summary>Begins the names of all segments of requests.</summary>
    public const string RequestPrefix = "audit/request/";

    /// <summary>Begins the names of all writers' streams.</summary>
    public const string WriterPrefix = "audit/writer/";

    /// <summary>Records of what was deleted on purpose; several writers, so it has one stream for each.</summary>
    public const string RetirementPrefix = "audit/retired/";

    /// <summary>A segment: a request has one for each time that a router took it up.</summary>
    /// <param name="request">The request's id.</param>
    /// <param name="writer">The peer id of the router's key.</param>
    /// <param name="term">Which run of it.</param>
    /// <param name="number">The how-manieth request that it took up in that run.</param>
    public static string Segment(string request, string writer, long term, long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{RequestPrefix}{request}/{writer[..Math.Min(writer.Length, 16)]}.{term}.{number}");

    /// <summary>The stream of one run of a writer.</summary>
    public static string Writer(string writer, long term) => string.Create(CultureInfo.InvariantCulture, $"{WriterPrefix}{writer}/{term}");

    /// <summary>Begins the names of all streams of the audit.</summary>
    public const string Prefix = "audit/";

    /// <summary>The stream in which a key's holder says what it deleted.</summary>
    /// <param name="writer">The peer id of the key.</param>
    public static string Retirement(string writer) => $"{RetirementPrefix}{writer}";

    /// <summary>The request of a segment; null where the stream is none.</summary>
    public static string? RequestOf(string stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.StartsWith(RequestPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var end = stream.IndexOf('/', RequestPrefix.Length);
        return end < 0 ? null : stream[RequestPrefix.Length..end];
    }
}
