using System.Globalization;
using Parallax.Audit.Chain;
using Parallax.Audit.Log;

namespace Parallax.Router.Access;

/// <summary>Which streams of requests this run of this router writes: it counts what it says there as it happens.</summary>
internal sealed class OwnStreams
{
    private readonly string? _mark;

    /// <param name="log">This run's log.</param>
    public OwnStreams(IAuditLog log) => _mark = log is AuditLog own ? Mark(own.WriterId, own.Term) : null;

    /// <summary>Whether a segment's stream is one of them.</summary>
    public bool Contains(string stream) => _mark is not null && stream.AsSpan(stream.LastIndexOf('/') + 1).StartsWith(_mark, StringComparison.Ordinal);

    /// <summary>How the last part of all of a run's segments begins.</summary>
    internal static string Mark(string writer, long term)
    {
        var name = AuditStreams.Segment("request", writer, term, 1);
        var last = name[(name.LastIndexOf('/') + 1)..];
        return string.Create(CultureInfo.InvariantCulture, $"{last[..last.LastIndexOf('.')]}.");
    }
}
