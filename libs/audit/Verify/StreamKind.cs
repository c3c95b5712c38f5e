using Parallax.Audit.Chain;

namespace Parallax.Audit.Verify;

/// <summary>Whose a stream is, by its name.</summary>
internal enum StreamKind
{
    Segment,
    Writer,
    Retirement,
    Other,
}

internal static class StreamKinds
{
    public static StreamKind Of(string stream) =>
        stream.StartsWith(AuditStreams.RequestPrefix, StringComparison.Ordinal) ? StreamKind.Segment
        : stream.StartsWith(AuditStreams.WriterPrefix, StringComparison.Ordinal) ? StreamKind.Writer
        : stream.StartsWith(AuditStreams.RetirementPrefix, StringComparison.Ordinal) ? StreamKind.Retirement
        : StreamKind.Other;
}
