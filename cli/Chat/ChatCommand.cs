using System.CommandLine;
using System.Globalization;
using Parallax.Hosting;

namespace Parallax.Cli.Chat;

/// <summary><c>parallax chat</c>.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var url = new Option<string>("--url", "-u") { Description = "The server's address.", DefaultValueFactory = static _ => "http://127.0.0.1:8000", HelpName = "address" };
        var model = new Option<string?>("--model", "-m") { Description = "The model's name, as the server calls it. Default: the first that it serves.", HelpName = "name" };
        var apiKey = new Option<string?>("--api-key") { Description = "The API key, where the server takes one. Default: PARALLAX_API_KEY, where other users of the machine do not see it.", HelpName = "key" };
        var system = new Option<string?>("--system") { Description = "Instructions that precede the conversation.", HelpName = "text" };
        var temperature = new Option<double?>("--temperature") { Description = "0 answers the same every time, 1 freely. Default: the model's own.", HelpName = "0..2" };
        var maxTokens = new Option<int?>("--max-tokens") { Description = "Greatest length of an answer. Default: what the context leaves.", HelpName = "tokens" };

        var command = new ExplainedCommand(
            "chat",
            "Talk to a server that is running; answers appear as they are made, and the conversation is kept.",
            """
            Examples:
              parallax chat
              parallax chat --system "Answer in one sentence." --temperature 0
              echo "What is the capital of France?" | parallax chat

            While it answers, Ctrl-C stops the answer. At the prompt: /reset forgets the conversation, /help lists the
            commands, /exit, Ctrl-D or Ctrl-C leaves. Without a terminal, each line of the input is one prompt.
            """)
        {
            url, model, apiKey, system, temperature, maxTokens,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            List<string> errors = [];
            if (!Uri.TryCreate(parsed.GetValue(url), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                errors.Add($"--url: '{parsed.GetValue(url)}' is not an address like http://127.0.0.1:8000.");
            }

            if (parsed.GetValue(temperature) is { } t && !(t is >= 0 and <= 2))
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"--temperature: {t} is out of range; use 0 to 2."));
            }

            if (parsed.GetValue(maxTokens) is { } most && most < 1)
            {
                errors.Add($"--max-tokens: {most} is too small; use at least 1.");
            }

            OptionsException.ThrowIfAny(errors);
            using var client = new CompletionClient(address!) { ApiKey = parsed.GetValue(apiKey) ?? Environment.GetEnvironmentVariable("PARALLAX_API_KEY") };
            var served = await client.ReadModelAsync(parsed.GetValue(model), cancellationToken);
            var conversation = new Conversation(parsed.GetValue(system));
            var settings = new ChatSettings(served, parsed.GetValue(temperature), parsed.GetValue(maxTokens));
            var loop = new ChatLoop(client, conversation, settings, Console.In, Console.Out, Console.Error, isInteractive: !Console.IsInputRedirected);
            using var breaks = new AnswerBreaks();
            return await loop.RunAsync(breaks);
        });
        return command;
    }
}
