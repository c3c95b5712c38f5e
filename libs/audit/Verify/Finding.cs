using System.Globalization;
using Parallax.Audit.Chain;

namespace Parallax.Audit.Verify;

/// <summary>Something that verification found.</summary>
/// <param name="Kind">What.</param>
/// <param name="IsNote">Whether it is only for information: it does not make a verification fail.</param>
/// <param name="Stream">Where.</param>
/// <param name="Number">At which event; null where it is about the whole stream.</param>
/// <param name="Message">What it is, for people: a clause without a full stop.</param>
public sealed record Finding(FindingKind Kind, bool IsNote, string Stream, long? Number, string Message)
{
    /// <summary>The request concerned; null for a writer's stream.</summary>
    public string? Request => AuditStreams.RequestOf(Stream);

    /// <summary>One line.</summary>
    public override string ToString()
    {
        var place = Number is { } number ? string.Create(CultureInfo.InvariantCulture, $", event {number}") : "";
        var whose = Request is { } request ? $"request {request}{place}" : $"{Stream}{place}";
        var where = Request is null ? "" : $" (stream {Stream})";
        return $"{(IsNote ? "note" : Word(Kind))}: {whose}: {Message}{where}";
    }

    /// <summary>A kind as it is written for people and programs.</summary>
    public static string Word(FindingKind kind) => kind switch
    {
        FindingKind.CutOff => "cut off",
        FindingKind.Forged => "forged signature",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
