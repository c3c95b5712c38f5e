namespace Parallax.Cli;

/// <summary>What a command returns that was told to stop before it had done its work.</summary>
internal static class Interruption
{
    /// <summary>128 + SIGINT, as shells report it.</summary>
    public const int ExitCode = 130;
}
