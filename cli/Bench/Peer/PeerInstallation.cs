using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Parallax.Cli.Bench.Peer;

/// <summary>
/// llama.cpp as two npm packages with fixed versions, in a folder of the user's cache; nothing of it belongs to this
/// project, and nothing is compiled or run at installation.
/// </summary>
internal sealed class PeerInstallation
{
    public const string Version = "3.22.1";
    private const string Marker = "installed";
    private static readonly TimeSpan InstallTime = TimeSpan.FromMinutes(8);

    private PeerInstallation(string folder, string withoutVariant)
    {
        Folder = folder;
        WithoutVariant = withoutVariant;
    }

    /// <summary>Holds peer.mjs and node_modules.</summary>
    public string Folder { get; }

    /// <summary>The peer's script.</summary>
    public string Script => Path.Combine(Folder, "peer.mjs");

    /// <summary>CPU variants that were taken out, comma-separated; empty for none.</summary>
    public string WithoutVariant { get; }

    /// <summary>The npm package of this machine's binaries.</summary>
    /// <exception cref="PeerException">There is none that has been tried.</exception>
    public static string PlatformPackage() =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "linux-x64"
        : throw new PeerException($"--peer llama.cpp: the comparison has been tried on Linux x64 only, not on {RuntimeInformation.RuntimeIdentifier}.");

    /// <summary>Finds the installation in the user's cache, or makes it with npm.</summary>
    /// <exception cref="PeerException">node or npm is missing, or npm failed.</exception>
    public static async Task<PeerInstallation> PrepareAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var platform = PlatformPackage();
        var folder = Path.Combine(CacheFolder(), $"llamacpp-{Version}");
        if (!File.Exists(Path.Combine(folder, Marker)))
        {
            progress($"installing node-llama-cpp {Version} into {folder}");
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{ "private": true, "type": "module" }""", cancellationToken);
            await NpmAsync(folder, platform, cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder, Marker), "", cancellationToken);
        }

        return await WithScriptAsync(new PeerInstallation(folder, ""), cancellationToken);
    }

    /// <summary>
    /// A copy without one of ggml's CPU libraries, so that it takes the next lower one: on some virtual machines the
    /// variant for AMX is chosen by the processor's flags and then dies.
    /// </summary>
    /// <exception cref="PeerException">The library is not there.</exception>
    public async Task<PeerInstallation> WithoutAsync(string variant, CancellationToken cancellationToken)
    {
        var without = WithoutVariant.Length == 0 ? variant : $"{WithoutVariant},{variant}";
        var folder = Path.Combine(CacheFolder(), $"llamacpp-{Version}-without-{without.Replace(',', '-')}");
        if (!File.Exists(Path.Combine(folder, Marker)))
        {
            CopyFolder(Path.Combine(Folder, "node_modules"), Path.Combine(folder, "node_modules"));
            File.Copy(Path.Combine(Folder, "package.json"), Path.Combine(folder, "package.json"), overwrite: true);
            var library = Path.Combine(
                folder, "node_modules", "@node-llama-cpp", PlatformPackage(), "bins", PlatformPackage(), $"libggml-cpu-{variant}.so");
            if (!File.Exists(library))
            {
                throw new PeerException($"llama.cpp died of an illegal instruction, and its CPU variant '{variant}' is no file that could be left out ({library}).");
            }

            File.Delete(library);
            await File.WriteAllTextAsync(Path.Combine(folder, Marker), "", cancellationToken);
        }

        return await WithScriptAsync(new PeerInstallation(folder, without), cancellationToken);
    }

    private static async Task<PeerInstallation> WithScriptAsync(PeerInstallation installation, CancellationToken cancellationToken)
    {
        await using var source = typeof(PeerInstallation).Assembly.GetManifestResourceStream("Parallax.Cli.peer.mjs")
            ?? throw new InvalidOperationException("The peer's script is not in this program.");
        await using var target = File.Create(installation.Script);
        await source.CopyToAsync(target, cancellationToken);
        return installation;
    }

    private static string CacheFolder()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            cache = home.Length > 0 ? Path.Combine(home, ".cache") : Path.GetTempPath();
        }

        return Path.Combine(cache, "parallax", "peers");
    }

    private static async Task NpmAsync(string folder, string platform, CancellationToken cancellationToken)
    {
        // Optional dependencies are the binaries for every other platform and for GPUs: 700 MB that are not needed.
        var start = new ProcessStartInfo("npm")
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--save-exact", "--loglevel=error",
                $"node-llama-cpp@{Version}", $"@node-llama-cpp/{platform}@{Version}",
            },
        };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(InstallTime);
        Process npm;
        try
        {
            npm = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new PeerException("--peer llama.cpp needs node and npm (https://nodejs.org, version 20 or newer), and npm was not found.", e);
        }

        using (npm)
        {
            npm.StandardInput.Close();
            var output = npm.StandardOutput.ReadToEndAsync(patience.Token);
            var error = npm.StandardError.ReadToEndAsync(patience.Token);
            try
            {
                await npm.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                npm.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                throw new PeerException($"npm took more than {InstallTime.TotalMinutes} minutes.");
            }

            if (npm.ExitCode != 0)
            {
                throw new PeerException($"npm could not install the peer (exit code {npm.ExitCode}):{Environment.NewLine}{(await output + await error).Trim()}");
            }
        }
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
        }

        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }
}
