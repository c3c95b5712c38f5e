using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Parallax.Audit.Index;
using Parallax.Audit.Verify;

namespace Parallax.Audit.Http;

/// <summary>A finding as programs are told.</summary>
public sealed record FindingLine(string Kind, bool IsNote, string? Request, string Stream, long? Event, string Message, string Text)
{
    /// <summary>Of a finding.</summary>
    public static FindingLine Of(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return new(Finding.Word(finding.Kind), finding.IsNote, finding.Request, finding.Stream, finding.Number, finding.Message, finding.ToString());
    }
}

/// <summary>What a verification came to, as programs are told.</summary>
public sealed record VerifyResult(
    bool IsFine, long Findings, long Notes, long Events, long Segments, long Unvouched, long Checkpoints, long Retired, ImmutableArray<string> Writers)
{
    /// <summary>Of a report.</summary>
    public static VerifyResult Of(VerificationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new(
            report.IsFine, report.FindingCount, report.NoteCount, report.Events, report.Segments, report.Unvouched, report.Checkpoints, report.Retired, report.Writers);
    }
}

/// <summary>A line of a verification: how many events were read so far, a finding, the outcome (the last line), or why it ended without one.</summary>
public sealed record VerifyLine(long? Progress = null, FindingLine? Finding = null, VerifyResult? Result = null, string? Error = null);

/// <summary>Usage, as programs are told.</summary>
public sealed record UsageAnswer(ImmutableArray<UsageRow> Data);

/// <summary>Failures, as programs are told.</summary>
public sealed record FailuresAnswer(ImmutableArray<FailureRow> Data);

/// <summary>An error, in terms of the OpenAI API.</summary>
public sealed record ErrorAnswer(ErrorAnswerBody Error);

/// <summary>What an error says.</summary>
public sealed record ErrorAnswerBody(string Message, string Type, string? Param, string? Code);

/// <summary>Everything that is said and read over HTTP, and what <c>--json</c> prints.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RequestPage))]
[JsonSerializable(typeof(RequestRow))]
[JsonSerializable(typeof(UsageAnswer))]
[JsonSerializable(typeof(FailuresAnswer))]
[JsonSerializable(typeof(VerifyLine))]
[JsonSerializable(typeof(ErrorAnswer))]
public sealed partial class AuditApi : JsonSerializerContext
{
    /// <summary>The context to use: texts of all scripts as they are, statuses in lower case.</summary>
    public static AuditApi Json { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<RequestStatus>(JsonNamingPolicy.SnakeCaseLower) },
    });
}
