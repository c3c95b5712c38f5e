using System.CommandLine;
using Google.Protobuf;
using Parallax.Contracts.Messages;
using Parallax.Hosting;

namespace Parallax.Cli.Commands;

/// <summary>What all commands have in common: whom to ask, with which key, and whether to wait.</summary>
internal sealed class CommandTarget
{
    private const string KeyVariable = "PARALLAX_API_KEY";
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly Option<string> _router = new("--router") { Description = "The router's address.", DefaultValueFactory = static _ => "http://127.0.0.1:8000", HelpName = "address", Recursive = true };
    private readonly Option<string?> _keyFile = new("--key-file") { Description = "A file whose first line is an administrator's API key.", HelpName = "path", Recursive = true };
    private readonly Option<string?> _id = new("--id") { Description = "The command's id; the same again is the same command. Default: one is drawn.", HelpName = "id", Recursive = true };
    private readonly Option<int> _timeout = new("--timeout") { Description = "Seconds that it has to be complete.", DefaultValueFactory = static _ => 600, HelpName = "seconds", Recursive = true };
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Return as soon as the command is sent.", Recursive = true };

    public void AddTo(Command command)
    {
        command.Add(_router);
        command.Add(_keyFile);
        command.Add(_id);
        command.Add(_timeout);
        command.Add(_noWait);
    }

    /// <summary>Gives a command, and waits for its end if that is wanted.</summary>
    public Task<int> GiveAsync(ParseResult parsed, string kind, IMessage request)
    {
        var time = TimeSpan.FromSeconds(parsed.GetValue(_timeout));
        return RunAsync(parsed, async (client, stop) =>
        {
            var id = parsed.GetValue(_id) ?? $"cli-{Guid.NewGuid():n}";
            await client.SubmitAsync(id, kind, request, time, stop);
            if (parsed.GetValue(_noWait))
            {
                Console.Out.WriteLine(id);
                return ExitCode.Ok;
            }

            var end = await FollowAsync(client, id, stop);
            Console.Out.Write(CommandText.Details(end));
            return end.State == CommandStates.Completed ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    /// <summary>Asks the router.</summary>
    public async Task<int> RunAsync(ParseResult parsed, Func<CommandsClient, CancellationToken, Task<int>> run)
    {
        var router = Uri.TryCreate(parsed.GetValue(_router), UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address!
            : throw new OptionsException([$"--router: '{parsed.GetValue(_router)}' is no address like http://127.0.0.1:8000."]);
        using var signals = new StopSignals();
        using var client = new CommandsClient(router, ReadKey(parsed.GetValue(_keyFile)), new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) });
        try
        {
            return await run(client, signals.Asked);
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
    }

    // The scheduler ends every command by its deadline, so this ends as well, unless no scheduler leads: then Ctrl-C does.
    private static async Task<CommandStatus> FollowAsync(CommandsClient client, string id, CancellationToken stop)
    {
        var told = "";
        while (true)
        {
            var status = await client.GetAsync(id, stop);
            if (status is not null && CommandStates.IsFinal(status.State))
            {
                return status;
            }

            var line = status is null ? "sent" : CommandText.Line(status);
            if (line != told)
            {
                Console.Error.WriteLine($"{id}: {line}");
                told = line;
            }

            await Task.Delay(Period, stop);
        }
    }

    private static string? ReadKey(string? path)
    {
        if (path is null)
        {
            return Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : null;
        }

        try
        {
            return File.ReadLines(path).FirstOrDefault() is { Length: > 0 } line ? line.Trim() : throw new OptionsException([$"--key-file: {path} is empty."]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException([$"--key-file: {e.Message}"]);
        }
    }
}
