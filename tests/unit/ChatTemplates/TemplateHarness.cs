using System.Text.Json;
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Renders templates with the values that the tables of expected texts were made with.</summary>
internal static class TemplateHarness
{
    private const string Context = """
        {
          "m": [
            {
              "role": "user",
              "content": "Hi"
            },
            {
              "role": "assistant",
              "content": null,
              "tool_calls": [
                {
                  "name": "f",
                  "arguments": {
                    "a": 1,
                    "b": [
                      1,
                      2.5,
                      null,
                      true
                    ]
                  }
                }
              ]
            }
          ],
          "n": 5,
          "f": 2.5,
          "s": "hello World",
          "e": "",
          "u": "日本👍é",
          "l": [
            3,
            1,
            2
          ],
          "d": {
            "b": 1,
            "a": 2,
            "items": 7
          },
          "t": true,
          "z": null,
          "big": 18446744073709551615,
          "words": [
            "apple",
            "Banana",
            "cherry"
          ],
          "tiny": 1e-07,
          "huge": 1e+22,
          "q": "it's \"x\"\n\t\\"
        }
        """;

    public static Dictionary<string, TemplateValue> Values { get; } = FromJson(Context);

    public static string Render(
        string template, Dictionary<string, TemplateValue>? values = null, RenderLimits? limits = null, TimeProvider? clock = null) =>
        ChatTemplate.Parse(template, "test").Render(values ?? Values, limits ?? RenderLimits.Default, clock ?? TimeProvider.System);

    public static ChatTemplateException Fail(
        string template, Dictionary<string, TemplateValue>? values = null, RenderLimits? limits = null) =>
        Assert.Throws<ChatTemplateException>(() => Render(template, values, limits));

    public static Dictionary<string, TemplateValue> FromJson(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject()
            .ToDictionary(member => member.Name, member => TemplateValue.FromJson(member.Value));
    }
}
