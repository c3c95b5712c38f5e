using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Hosting;
using Parallax.Runtime.Models;
using Parallax.Runtime.Tokenization;

namespace Parallax.Cli.Inspect;

/// <summary><c>parallax tokenize</c>.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        var model = SharedOptions.Model();
        var special = new Option<bool>("--special") { Description = "Read special tokens in the text as such, as in a rendered chat template; else they are plain text." };
        var ids = new Option<bool>("--ids") { Description = "Print the ids only, in one line." };
        var text = new Argument<string?>("text") { Description = "The text; without it, the standard input is read.", Arity = ArgumentArity.ZeroOrOne };
        var command = new ExplainedCommand(
            "tokenize",
            "Show the tokens of a text, one per line: id, and the bytes it stands for as JSON text.",
            """
            Examples:
              parallax tokenize "Hello, world"
              parallax tokenize --model SmolLM2-135M-Instruct.Q4_1.gguf --ids < letter.txt
            """)
        {
            model, special, ids, text,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var tokenizer = Load(ModelLocation.Resolve(parsed.GetValue(model)));
            var subject = parsed.GetValue(text) ?? await Console.In.ReadToEndAsync(cancellationToken);
            var tokens = tokenizer.Encode(subject, parsed.GetValue(special), addSpecial: false);
            Console.Out.Write(parsed.GetValue(ids) ? string.Join(' ', tokens) + Environment.NewLine : Describe(tokenizer, tokens));
            return ExitCode.Ok;
        });
        return command;
    }

    private static ITokenizer Load(string path)
    {
        using var model = ModelSource.Open(path);
        return model.Metadata is { } metadata
            ? TokenizerLoader.FromVocabulary(GgufVocabulary.FromMetadata(metadata))
            : TokenizerLoader.FromFolder(path);
    }

    private static string Describe(ITokenizer tokenizer, IReadOnlyList<int> tokens)
    {
        var text = new StringBuilder();
        foreach (var token in tokens)
        {
            var bytes = tokenizer.TokenBytes(token, skipSpecial: false);
            text.Append(CultureInfo.InvariantCulture, $"{token,8}  {Show(bytes)}").AppendLine();
        }

        return text.ToString();
    }

    // A token may be a part of a character: then its bytes are shown instead.
    private static string Show(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        return text.Contains('\uFFFD', StringComparison.Ordinal)
            ? $"bytes {Convert.ToHexString(bytes)}"
            : $"\"{JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }
}
