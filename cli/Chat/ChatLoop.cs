using System.Text;
using Parallax.Hosting;

namespace Parallax.Cli.Chat;

/// <summary>Reads prompts, prints answers as they come, until the input ends or the user leaves.</summary>
internal sealed class ChatLoop(
    CompletionClient client,
    Conversation conversation,
    ChatSettings settings,
    TextReader input,
    TextWriter output,
    TextWriter error,
    bool isInteractive)
{
    private const string Help =
        """
        /reset   forget the conversation
        /help    this list
        /exit    leave (also Ctrl-D, or Ctrl-C at the prompt)
        Ctrl-C while it answers stops the answer. Anything else is said to the model.
        """;

    /// <returns>
    /// <see cref="ExitCode.Ok"/>, or <see cref="ExitCode.Failed"/> when prompts came from no terminal and one of them
    /// was not answered.
    /// </returns>
    public async Task<int> RunAsync(AnswerBreaks breaks)
    {
        var failed = false;
        if (isInteractive)
        {
            await output.WriteLineAsync($"Talking to {settings.Model} at {client.Server.GetLeftPart(UriPartial.Authority)}. /help lists commands, /exit leaves.");
        }

        while (true)
        {
            if (isInteractive)
            {
                await output.WriteAsync("\n> ");
                await output.FlushAsync();
            }

            if (await input.ReadLineAsync() is not { } line)
            {
                if (isInteractive)
                {
                    await output.WriteLineAsync();
                }

                return failed ? ExitCode.Failed : ExitCode.Ok;
            }

            switch (line.Trim())
            {
                case "":
                    break;
                case "/exit" or "/quit":
                    return failed ? ExitCode.Failed : ExitCode.Ok;
                case "/reset":
                    conversation.Reset();
                    await NoteAsync("The conversation is forgotten.");
                    break;
                case "/help":
                    await NoteAsync(Help);
                    break;
                case ['/', .. var command] when command.Length > 0 && command.All(char.IsAsciiLetter):
                    await error.WriteLineAsync($"There is no command /{command}; /help lists them.");
                    failed |= !isInteractive;
                    break;
                default:
                    failed |= !await AnswerAsync(line, breaks) && !isInteractive;
                    break;
            }
        }
    }

    private async Task<bool> AnswerAsync(string prompt, AnswerBreaks breaks)
    {
        conversation.Ask(prompt);
        var answer = new StringBuilder();
        var note = "";
        var token = breaks.Begin();
        try
        {
            await foreach (var part in client.StreamAsync(settings, conversation.Turns, token))
            {
                if (part is TextAdded text)
                {
                    answer.Append(text.Text);
                    await output.WriteAsync(text.Text);
                    await output.FlushAsync(CancellationToken.None);
                }
                else if (part is AnswerFinished { Reason: "length" })
                {
                    note = "(cut: the greatest length is reached; see --max-tokens and the server's --ctx)";
                }
            }

            return true;
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            note = "(stopped)";
            return true;
        }
        catch (ServerException e)
        {
            note = e.Message;
            return false;
        }
        finally
        {
            breaks.End();
            conversation.Answered(answer.ToString());
            if (answer.Length > 0)
            {
                await output.WriteLineAsync();
            }

            if (note.Length > 0)
            {
                await error.WriteLineAsync(note);
            }
        }
    }

    private async Task NoteAsync(string text)
    {
        if (isInteractive)
        {
            await output.WriteLineAsync(text);
        }
    }
}
