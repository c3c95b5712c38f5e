namespace Parallax.StackTest;

/// <summary>A container of the stack, as the engine sees it now.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Service">Its service in the compose file.</param>
/// <param name="IsRunning">Whether its process runs.</param>
/// <param name="ExitCode">How the process ended that runs no more.</param>
/// <param name="Health"><c>healthy</c>, <c>unhealthy</c>, <c>starting</c>; <c>none</c> without a check.</param>
/// <param name="Pid">Its process, on this machine; 0 for none.</param>
/// <param name="Restarts">How often the engine has started it anew.</param>
/// <param name="Published">Ports of this machine that lead to it.</param>
/// <param name="Address">Its address in the stack's network; empty for none.</param>
internal sealed record Replica(
    string Id, string Service, bool IsRunning, int ExitCode, string Health, int Pid, int Restarts, int Published, string Address)
{
    /// <summary>Whether it does what it is there for.</summary>
    public bool IsUp => IsRunning && Health is "healthy" or "none";

    public override string ToString() => $"{Service} {Id[..6]} {(IsRunning ? Health : $"exited with {ExitCode}")}";
}
