using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Parallax.Runtime.ChatTemplates;
using Parallax.Testing;

namespace Parallax.ReferenceTests.ChatTemplates;

/// <summary>Real templates, damaged: only a <see cref="ChatTemplateException"/> may escape, and soon.</summary>
public sealed class ChatTemplateMutationTests
{
    private const int MutationsPerTemplate = 150;

    private static readonly string[] Inserts =
    [
        "{{", "}}", "{%", "%}", "{#", "-%}", "{% endif %}", "{% endfor %}", "{% else %}", "{% for x in messages %}", "{% if messages %}", "{% raw %}",
        "{% macro m() %}", "{% endmacro %}", "{{ messages }}", "{{ loop.last }}", "|tojson", "|length", "|join", "[0]", "[::-1]", "(", ")", "[", "]",
        "'", "\"", "\\", "**", "* 10**9", "~", ".x", ".items()", " not ", " is defined", " in ", "none", "0", "\n", " ", "\ud83d", "\0",
    ];

    [Fact]
    public void ParseAndRender_MutatedTemplates_FailOnlyWithChatTemplateException()
    {
        var path = TestData.PathOf("golden", "chat_templates.json");
        Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var contexts = document.RootElement.GetProperty("cases").EnumerateArray()
            .Select(item => item.GetProperty("context").EnumerateObject()
                .ToDictionary(member => member.Name, member => TemplateValue.FromJson(member.Value)))
            .Take(10).ToList();
        var templates = document.RootElement.GetProperty("templates").EnumerateObject().ToList();
        var random = new Random(20_240_611);
        var (rendered, failed) = (0, 0);
        var slowest = TimeSpan.Zero;
        foreach (var template in templates)
        {
            for (var i = 0; i < MutationsPerTemplate; i++)
            {
                var source = Mutate(template.Value.GetString()!, random);
                var clock = Stopwatch.StartNew();
                try
                {
                    ChatTemplate.Parse(source, template.Name)
                        .Render(contexts[random.Next(contexts.Count)], RenderLimits.Default, TimeProvider.System);
                    rendered++;
                }
                catch (ChatTemplateException error)
                {
                    Assert.NotEqual("", error.Problem + error.Fault);
                    failed++;
                }

                slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
            }
        }

        Assert.True(rendered > 0 && failed > 0, $"{rendered} mutations rendered, {failed} failed: the mutations test nothing");
        Assert.True(slowest < TimeSpan.FromMinutes(1), $"the slowest mutation took {slowest}");
    }

    private static string Mutate(string source, Random random)
    {
        var text = new StringBuilder(source);
        for (var edits = random.Next(1, 5); edits > 0 && text.Length > 2; edits--)
        {
            var at = random.Next(text.Length - 1);
            var length = Math.Min(random.Next(1, 12), text.Length - at);
            switch (random.Next(5))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(at, Inserts[random.Next(Inserts.Length)]);
                    break;
                case 2:
                    text.Insert(random.Next(text.Length), text.ToString(at, length));
                    break;
                case 3:
                    (text[at], text[at + 1]) = (text[at + 1], text[at]);
                    break;
                default:
                    text.Length = random.Next(10) == 0 ? at + 1 : text.Length;
                    text[at] = (char)random.Next(32, 127);
                    break;
            }
        }

        return text.ToString();
    }
}
