using System.ComponentModel;
using System.Globalization;
using Parallax.Cli.Bench.Peer;
using Parallax.PipelineBenchmark.Clusters;

namespace Parallax.PipelineBenchmark.Peer;

/// <summary>
/// llama.cpp compiled with its RPC backend. The binaries of the npm packages have none, but node-llama-cpp carries
/// llama.cpp's source as a git bundle: it is compiled from there, once, into the user's cache, with the tools of this
/// machine (git, cmake, a C++ compiler).
/// </summary>
internal sealed class RpcBuild
{
    private const string Marker = "built";

    private RpcBuild(string folder) => Folder = folder;

    /// <summary>Holds source and build.</summary>
    public string Folder { get; }

    /// <summary>Path of one of its programs.</summary>
    public string Program(string name) => Path.Combine(Folder, "build", "bin", name);

    /// <summary>Finds or makes it.</summary>
    /// <exception cref="PeerException">A tool is missing, or npm, or this is no Linux x64.</exception>
    /// <exception cref="ChildException">A step failed; the message has its last lines.</exception>
    public static async Task<RpcBuild> PrepareAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var package = await PeerInstallation.PrepareAsync(progress, cancellationToken);
        var build = new RpcBuild($"{package.Folder}-rpc");
        if (File.Exists(Path.Combine(build.Folder, Marker)))
        {
            return build;
        }

        progress($"compiling llama.cpp with its RPC backend in {build.Folder}: minutes, once");
        if (Directory.Exists(build.Folder))
        {
            Directory.Delete(build.Folder, recursive: true); // of an attempt that was broken off
        }

        Directory.CreateDirectory(build.Folder);
        var bundle = Path.Combine(package.Folder, "node_modules", "node-llama-cpp", "llama", "gitRelease.bundle");
        await build.RunAsync("git", ["clone", "--quiet", bundle, "source"], cancellationToken);
        await build.RunAsync("cmake", ["-S", "source", "-B", "build", .. Options()], cancellationToken);
        await build.RunAsync(
            "cmake",
            ["--build", "build", "--parallel", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), "--target", "ggml-rpc-server", "llama-bench"],
            cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(build.Folder, Marker), "", cancellationToken);
        return build;
    }

    // Not "native": compilers then take what the processor's flags name, and on some virtual machines its AMX dies.
    private static IEnumerable<string> Options()
    {
        const string file = "/proc/cpuinfo";
        var flags = File.Exists(file)
            ? File.ReadLines(file).FirstOrDefault(static line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') ?? []
            : [];
        (string Flag, string Option)[] instructions =
        [
            ("sse4_2", "GGML_SSE42"), ("avx", "GGML_AVX"), ("avx2", "GGML_AVX2"), ("fma", "GGML_FMA"), ("f16c", "GGML_F16C"), ("bmi2", "GGML_BMI2"),
            ("avx512f", "GGML_AVX512"), ("avx512vbmi", "GGML_AVX512_VBMI"), ("avx512_vnni", "GGML_AVX512_VNNI"),
        ];
        return
        [
            "-DCMAKE_BUILD_TYPE=Release", "-DGGML_RPC=ON", "-DGGML_NATIVE=OFF", "-DGGML_OPENMP=OFF", "-DLLAMA_OPENSSL=OFF",
            "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_APP=OFF",
            .. instructions.Select(pair => $"-D{pair.Option}={(flags.Contains(pair.Flag) ? "ON" : "OFF")}"),
        ];
    }

    private async Task RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            await using var step = ChildProcess.Start($"{program} (of --peer)", program, Folder, arguments);
            await step.OutputAsync(cancellationToken);
        }
        catch (Win32Exception missing)
        {
            throw new PeerException($"--peer llama.cpp-rpc needs git, cmake and a C++ compiler; {program} was not found.", missing);
        }
    }
}
