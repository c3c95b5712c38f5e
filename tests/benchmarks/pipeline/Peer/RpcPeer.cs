using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Clusters;
using Parallax.Testing.Servers;

namespace Parallax.PipelineBenchmark.Peer;

/// <summary>
/// llama.cpp with its layers on RPC servers, driven by its own llama-bench: the nearest thing to our stages that runs on
/// one machine. One sequence, no HTTP; the time is the tool's own.
/// </summary>
internal sealed class RpcPeer
{
    private readonly RpcBuild _build;
    private readonly string _model;

    private RpcPeer(RpcBuild build, string model) => (_build, _model) = (build, model);

    /// <summary>Finds the build in the user's cache, or makes it: minutes, the first time.</summary>
    /// <exception cref="OptionsException">The model is none that llama.cpp reads.</exception>
    public static async Task<RpcPeer> PrepareAsync(string model, Action<string> progress, CancellationToken cancellationToken)
    {
        OptionsException.ThrowIfAny(File.Exists(model) && model.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
            ? []
            : [$"--peer: '{model}' is no .gguf file, and llama.cpp reads no other; name one with --model."]);
        return new RpcPeer(await RpcBuild.PrepareAsync(progress, cancellationToken), model);
    }

    /// <summary>Tokens a second of one sequence, after a warm-up of llama-bench's own.</summary>
    /// <param name="servers">RPC servers that share the layers; 0 computes in the one process.</param>
    /// <param name="threads">Threads of each server, or of the one process.</param>
    /// <param name="tokens">Tokens to decode.</param>
    /// <param name="cancellationToken">Gives up; no process stays behind.</param>
    public async Task<double> DecodeAsync(int servers, int threads, int tokens, CancellationToken cancellationToken)
    {
        var count = threads.ToString(CultureInfo.InvariantCulture);
        var ports = ServerPrograms.FreePorts(servers);
        var running = new List<ChildProcess>();
        try
        {
            foreach (var port in ports)
            {
                running.Add(ChildProcess.Start(
                    "ggml-rpc-server", _build.Program("ggml-rpc-server"), _build.Folder,
                    ["-H", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-t", count]));
                await ListensAsync(running[^1], port, cancellationToken);
            }

            string[] where = servers == 0
                ? ["-ngl", "0"]
                : ["-ngl", "99", "--rpc", string.Join(',', ports.Select(static port => $"127.0.0.1:{port}"))];
            await using var bench = ChildProcess.Start(
                "llama-bench", _build.Program("llama-bench"), _build.Folder,
                ["-m", _model, "-p", "0", "-n", tokens.ToString(CultureInfo.InvariantCulture), "-r", "1", "-t", count, "-o", "json", .. where]);
            using var report = JsonDocument.Parse(await bench.OutputAsync(cancellationToken));
            return report.RootElement[0].GetProperty("avg_ts").GetDouble();
        }
        finally
        {
            foreach (var server in running)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static async Task ListensAsync(ChildProcess server, int port, CancellationToken cancellationToken)
    {
        while (true)
        {
            server.ThrowIfEnded();
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }
}
