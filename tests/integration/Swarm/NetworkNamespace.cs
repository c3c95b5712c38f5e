using System.Diagnostics;
using System.Globalization;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>A host of its own as far as the network goes: a namespace with one wire to this machine.</summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    private readonly string _name;
    private readonly int _net;

    private NetworkNamespace(string name, int net) => (_name, _net) = (name, net);

    /// <summary>Why there is none; null where it can be made.</summary>
    public static string? MissingReason => !OperatingSystem.IsLinux() ? "network namespaces are a thing of Linux"
        : Environment.UserName != "root" ? "network namespaces take root"
        : Find("ip") is null || Find("tc") is null ? "ip and tc (iproute2) are not installed"
        : null;

    /// <summary>This machine's address on the wire.</summary>
    public string Here => $"10.213.{_net}.1";

    /// <summary>The other end's.</summary>
    public string There => $"10.213.{_net}.2";

    /// <summary>What runs a program there.</summary>
    public string[] Prefix => [Find("ip")!, "netns", "exec", _name];

    private string Wire => $"plx{_net}h";

    /// <summary>Makes a host.</summary>
    /// <param name="net">Its number, 1 to 254; of one test at a time.</param>
    /// <param name="rate">What the wire carries towards it, e.g. <c>20mbit</c>; null: no limit.</param>
    public static async Task<NetworkNamespace> CreateAsync(int net, string? rate = null)
    {
        var host = new NetworkNamespace($"plx-{net}-{Environment.ProcessId}", net);
        await RunAsync("ip", $"netns add {host._name}");
        try
        {
            await RunAsync("ip", $"link add {host.Wire} type veth peer name plx{net}t netns {host._name}");
            await RunAsync("ip", $"addr add {host.Here}/24 dev {host.Wire}");
            await RunAsync("ip", $"link set {host.Wire} up");
            await RunAsync("ip", $"-n {host._name} addr add {host.There}/24 dev plx{net}t");
            await RunAsync("ip", $"-n {host._name} link set plx{net}t up");
            await RunAsync("ip", $"-n {host._name} link set lo up");
            await RunAsync("ip", $"-n {host._name} route add default via {host.Here}");
            if (rate is not null)
            {
                await RunAsync("tc", $"qdisc add dev {host.Wire} root tbf rate {rate} burst 64kb latency 200ms");
            }

            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Leaves no way between two hosts, whatever this machine forwards.</summary>
    public async Task SeparateAsync(NetworkNamespace other)
    {
        await RunAsync("ip", $"-n {_name} route add unreachable 10.213.{other._net}.0/24");
        await RunAsync("ip", $"-n {other._name} route add unreachable 10.213.{_net}.0/24");
    }

    /// <summary>Lays a wire between two hosts that had no way to each other.</summary>
    public async Task ConnectAsync(NetworkNamespace other)
    {
        var (mine, theirs) = ($"plx{_net}w", $"plx{other._net}w");
        await RunAsync("ip", $"-n {_name} link add {mine} type veth peer name {theirs} netns {other._name}");
        foreach (var (host, wire, to) in new[] { (_name, mine, other._net), (other._name, theirs, _net) })
        {
            await RunAsync("ip", $"-n {host} link set {wire} up");
            await RunAsync("ip", $"-n {host} route del unreachable 10.213.{to}.0/24");
            await RunAsync("ip", $"-n {host} route add 10.213.{to}.0/24 dev {wire}");
        }
    }

    /// <summary>Bytes that went over the limited wire towards the host.</summary>
    public async Task<long> BytesSentAsync()
    {
        var words = (await RunAsync("tc", $"-s qdisc show dev {Wire}")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(words[Array.IndexOf(words, "Sent") + 1], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync() => await RunAsync("ip", $"netns del {_name}"); // the wire goes with it

    private static string? Find(string program) =>
        new[] { "/usr/sbin", "/sbin", "/usr/bin", "/bin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static async Task<string> RunAsync(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Find(program)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {arguments}: {await errors}");
    }
}
