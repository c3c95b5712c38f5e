using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Parallax.Runtime.ChatTemplates;
using Parallax.Testing;

namespace Parallax.ReferenceTests.ChatTemplates;

/// <summary>Real templates times conversations, against the text that the reference engine rendered.</summary>
public sealed partial class ChatTemplateGoldenTests
{
    private const string UnknownGeneration = "unknown tag 'generation'";

    [Fact]
    public void Render_EveryReferenceCase_IsEqual()
    {
        // The reference is plain Jinja, which does not know the generation tag.
        var (count, failures) = RunAll(TemplateDialect.PlainJinja, _ => true);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} cases differ:\n{string.Join("\n", failures)}");
    }

    [Fact]
    public void Render_EveryReferenceCaseWithGenerationBlocks_IsEqual()
    {
        var (count, failures) = RunAll(
            TemplateDialect.HuggingFace,
            expected => expected.Error?.Contains(UnknownGeneration, StringComparison.Ordinal) != true);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} cases differ:\n{string.Join("\n", failures)}");
    }

    [Fact]
    public void Render_TemplatesWithGenerationBlocks_GiveTheBlocksContent()
    {
        // The same source with a block that plain Jinja knows, and that changes nothing either.
        var compared = 0;
        foreach (var file in LoadFiles())
        {
            foreach (var item in file.Cases.Where(item => item.Error?.Contains(UnknownGeneration, StringComparison.Ordinal) == true))
            {
                var neutral = GenerationTag().Replace(item.Source, match => match.Groups[1].Length == 0 ? "with" : "endwith");
                Assert.Equal(
                    Outcome(item with { Source = neutral }, file.Clock, TemplateDialect.PlainJinja),
                    Outcome(item, file.Clock, TemplateDialect.HuggingFace));
                compared++;
            }
        }

        Assert.SkipWhen(compared == 0, "no reference case uses the generation tag");
    }

    private static string Outcome(Case item, TimeProvider clock, TemplateDialect dialect)
    {
        try
        {
            return ChatTemplate.Parse(item.Source, item.Template, dialect).Render(item.Values, RenderLimits.Default, clock);
        }
        catch (ChatTemplateException error) when (error.Fault == ChatTemplateFault.Evaluation)
        {
            return error.Problem;
        }
    }

    private static (int Count, List<string> Failures) RunAll(TemplateDialect dialect, Func<Case, bool> isIncluded)
    {
        var failures = new List<string>();
        var count = 0;
        foreach (var file in LoadFiles())
        {
            foreach (var item in file.Cases.Where(isIncluded))
            {
                count++;
                if (Compare(item, file.Clock, dialect) is { } difference)
                {
                    failures.Add($"{item.Template} / {item.Conversation}: {difference}");
                }
            }
        }

        Assert.True(count > 0, "the reference files hold no cases");
        return (count, failures);
    }

    private static string? Compare(Case item, TimeProvider clock, TemplateDialect dialect)
    {
        string text;
        try
        {
            text = ChatTemplate.Parse(item.Source, item.Template, dialect).Render(item.Values, RenderLimits.Default, clock);
        }
        catch (ChatTemplateException error)
        {
            return item.Error is null ? $"failed: {error.Message}" : CompareErrors(item.Error, error);
        }

        return item.Error is not null ? $"rendered, but the reference fails with {item.Error}"
            : text == item.Text ? null
            : Difference(item.Text!, text);
    }

    /// <summary>Of raise_exception the message counts; of other errors the fact, and whose fault it is.</summary>
    private static string? CompareErrors(string expected, ChatTemplateException error)
    {
        if (expected.StartsWith("TemplateError: ", StringComparison.Ordinal))
        {
            return error.Fault == ChatTemplateFault.Raised && error.Problem == expected["TemplateError: ".Length..]
                ? null
                : $"expected {expected}, got {error.Fault}: {error.Problem}";
        }

        var fault = expected.StartsWith("TemplateSyntaxError", StringComparison.Ordinal)
            ? ChatTemplateFault.Syntax
            : ChatTemplateFault.Evaluation;
        return error.Fault == fault ? null : $"expected {expected}, got {error.Fault}: {error.Problem}";
    }

    private static string Difference(string expected, string actual)
    {
        var at = expected.AsSpan().CommonPrefixLength(actual);
        return $"differs at {at}: expected {Excerpt(expected, at)}, got {Excerpt(actual, at)}";
    }

    private static string Excerpt(string text, int at) =>
        JsonSerializer.Serialize(text[Math.Max(0, at - 20)..Math.Min(text.Length, at + 40)]);

    private static List<GoldenFile> LoadFiles()
    {
        var folder = TestData.PathOf("golden");
        Assert.SkipWhen(TestData.MissingReason(folder) is not null, TestData.MissingReason(folder) ?? "");
        var files = Directory.GetFiles(folder, "chat_templates*.json").Order(StringComparer.Ordinal).ToList();
        Assert.SkipWhen(files.Count == 0, $"no chat_templates*.json in {folder}");
        return files.ConvertAll(Load);
    }

    private static GoldenFile Load(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var templates = document.RootElement.GetProperty("templates");
        var cases = document.RootElement.GetProperty("cases").EnumerateArray().Select(element => new Case(
            element.GetProperty("template").GetString()!,
            element.GetProperty("conversation").GetString()!,
            templates.GetProperty(element.GetProperty("template").GetString()!).GetString()!,
            element.GetProperty("context").EnumerateObject()
                .ToDictionary(member => member.Name, member => TemplateValue.FromJson(member.Value)),
            element.GetProperty("text").GetString(),
            element.GetProperty("error").GetString())).ToList();
        return new GoldenFile(cases, new FixedClock(FindDate(cases)));
    }

    /// <summary>The day on which the file was made, as its texts with the current date tell.</summary>
    private static DateTimeOffset FindDate(List<Case> cases)
    {
        foreach (var item in cases.Where(item => item.Source.Contains("strftime_now", StringComparison.Ordinal) && item.Text is not null))
        {
            var match = CurrentDate().Match(item.Text!);
            if (match.Success && DateTimeOffset.TryParse(
                match.Groups[1].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            {
                return date.AddHours(12);
            }
        }

        return DateTimeOffset.UnixEpoch;
    }

    [GeneratedRegex(@"(?:Today's Date: |Today Date: |Current date: )([A-Za-z0-9, -]+\d)")]
    private static partial Regex CurrentDate();

    [GeneratedRegex(@"(?<=\{%[-+]?\s*)(end)?generation(?=\s*[-+]?%\})")]
    private static partial Regex GenerationTag();

    private sealed record Case(
        string Template, string Conversation, string Source, Dictionary<string, TemplateValue> Values, string? Text, string? Error);

    private sealed record GoldenFile(List<Case> Cases, TimeProvider Clock);

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
