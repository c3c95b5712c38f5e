using System.CommandLine;
using Parallax.Hosting.Commands;
using Parallax.Hosting.Status;
using Parallax.Swarm.Joining;

namespace Parallax.KvCache;

/// <summary>The KV cache's command line.</summary>
internal static class KvCacheCommand
{
    private const long DefaultDiskBytes = 10L << 30;

    /// <summary>The command; <paramref name="run"/> gets the options, not yet validated, the swarm to join, and a token that Ctrl-C cancels.</summary>
    public static RootCommand Create(Func<KvCacheOptions, JoinSwarm?, CancellationToken, Task<int>> run)
    {
        var defaults = new KvCacheOptions();
        var memory = new Option<long?>("--memory") { Description = "Memory for blocks, e.g. 4GiB (default: half of what the process may use).", HelpName = "size", CustomParser = SizeText.ParseOption };
        var disk = new Option<long?>("--disk") { Description = "What blocks may take on disk, e.g. 100GiB; 0 for none (default: 10GiB with --folder, else none).", HelpName = "size", CustomParser = SizeText.ParseOption };
        var folder = new Option<string?>("--folder") { Description = "Folder of the blocks on disk, which a restart finds again. Each instance takes a folder of its own in it: 1, 2, ...", HelpName = "folder" };
        var copies = new Option<int>("--copies") { Description = "Copies of each block over the instances; the same at all of them.", DefaultValueFactory = _ => defaults.Copies };
        var rate = new Option<long?>("--repair-rate") { Description = "Bytes a second for making missing copies, e.g. 64MiB.", HelpName = "size", CustomParser = SizeText.ParseOption };
        var command = new RootCommand("Parallax KV cache: keeps KV blocks for workers, so that a worker that takes over does not compute them again. Several instances share the blocks.")
        {
            memory, disk, folder, copies, rate,
        };
        var join = new JoinOptions();
        join.AddTo(command);
        var status = new StatusSettings();
        status.AddTo(command);
        command.SetAction((parsed, cancellationToken) => run(
            new KvCacheOptions
            {
                MemoryBytes = parsed.GetValue(memory) ?? defaults.MemoryBytes,
                DiskBytes = parsed.GetValue(disk) ?? (parsed.GetValue(folder) is null ? 0 : DefaultDiskBytes),
                Folder = parsed.GetValue(folder),
                Copies = parsed.GetValue(copies),
                RepairBytesPerSecond = parsed.GetValue(rate) ?? defaults.RepairBytesPerSecond,
                Status = status.Read(parsed),
            },
            join.Read(parsed),
            cancellationToken));
        return command;
    }
}
