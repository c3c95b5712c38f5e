using System.CommandLine;
using Parallax.Identity.Authority;

namespace Parallax.Cli.Tokens;

/// <summary>The folder of a swarm's key, as an option that several commands have.</summary>
internal static class StateOption
{
    public static Option<string> Create() => new("--state", "--swarm-dir")
    {
        Description = "The folder that holds the swarm's key. Default: parallax/swarm in your application data.",
        DefaultValueFactory = static _ => StateFolder.DefaultPath,
        HelpName = "folder",
        Recursive = true,
    };

    /// <summary>The swarm whose key the folder holds.</summary>
    /// <exception cref="Parallax.Identity.IdentityException">It holds none, or cannot be used.</exception>
    public static SwarmAuthority Open(string folder) => SwarmAuthority.Open(new StateFolder(folder), TimeProvider.System);
}
