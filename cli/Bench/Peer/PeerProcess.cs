using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Parallax.Cli.Bench.Peer;

/// <summary>A program that takes one JSON command per line and gives one JSON answer per line; one command at a time.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Lock _gate = new(); // guards _complaints
    private readonly StringBuilder _complaints = new();

    private PeerProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginErrorReadLine();
    }

    /// <exception cref="PeerException">The program cannot be started.</exception>
    public static PeerProcess Start(string program, string script)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = Path.GetDirectoryName(script),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { script },
        };
        try
        {
            return new PeerProcess(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw new PeerException($"--peer llama.cpp needs node (https://nodejs.org, version 20 or newer), and '{program}' was not found.", e);
        }
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <exception cref="PeerException">The peer died, or says that the command failed.</exception>
    public async Task<JsonElement> AskAsync(Action<Utf8JsonWriter> command, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(AnswerTime);
        try
        {
            await _process.StandardInput.WriteLineAsync(Compose(command).AsMemory(), patience.Token);
            await _process.StandardInput.FlushAsync(patience.Token);
            while (await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                // Libraries may print too; answers are objects.
                if (line.StartsWith('{'))
                {
                    using var document = JsonDocument.Parse(line);
                    var answer = document.RootElement.Clone();
                    return answer.TryGetProperty("error", out var error)
                        ? throw new PeerException($"llama.cpp: {error.GetString()}")
                        : answer;
                }
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PeerException($"llama.cpp gave no answer within {AnswerTime.TotalMinutes} minutes.", e);
        }
        catch (IOException)
        {
            // It died while it was written to; why is said below.
        }
        catch (JsonException e)
        {
            throw new PeerException("llama.cpp: its script gave an answer that is no JSON.", e);
        }

        throw await DeathAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            using var patience = new CancellationTokenSource(EndTime);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    private static string Compose(Action<Utf8JsonWriter> command)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            command(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private async Task<PeerException> DeathAsync(CancellationToken cancellationToken)
    {
        const int illegalInstruction = 128 + 4; // SIGILL as .NET reports it
        await _process.WaitForExitAsync(cancellationToken);
        string complaints;
        lock (_gate)
        {
            complaints = _complaints.ToString().Trim();
        }

        var isIllegal = _process.ExitCode == illegalInstruction;
        return new PeerException($"llama.cpp ended {(isIllegal ? "by an illegal instruction" : $"with code {_process.ExitCode}")}. {complaints}".Trim())
        {
            IsIllegalInstruction = isIllegal,
        };
    }

    private void Note(string? line)
    {
        const int most = 4000;
        lock (_gate)
        {
            if (line is not null && _complaints.Length < most)
            {
                _complaints.AppendLine(line);
            }
        }
    }
}
