namespace Parallax.Swarm.Telemetry;

/// <summary>How the way to NATS is.</summary>
/// <param name="IsConnected">Whether news travels.</param>
/// <param name="Since">Since when it is connected or absent.</param>
/// <param name="Server">The server that it is connected to; empty while it is absent.</param>
/// <param name="Problem">Why it is absent, and what to do; empty while it is connected.</param>
public sealed record NewsState(bool IsConnected, DateTimeOffset Since, string Server, string Problem)
{
    internal static NewsState Absent(DateTimeOffset since, string problem) => new(IsConnected: false, since, Server: "", problem);

    internal static NewsState Connected(DateTimeOffset since, string server) => new(IsConnected: true, since, server, Problem: "");

    /// <inheritdoc/>
    public override string ToString() => IsConnected ? $"connected to {Server} since {Since:u}" : $"absent since {Since:u}: {Problem}";
}
