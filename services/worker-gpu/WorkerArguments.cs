using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Hosting.Stages;

namespace Parallax.Worker.Gpu;

/// <summary>What words on the command line mean.</summary>
internal static class WorkerArguments
{
    /// <summary>Layers [start, end) from START-END; null for anything else.</summary>
    public static LayerRange? ParseLayers(string text) =>
        text.Split('-') is [var start, var end]
        && int.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
        && int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var to)
        && from < to
            ? new LayerRange(from, to)
            : null;

    /// <summary>Options with a map's layers, address and port for the worker of the options' id.</summary>
    /// <param name="options">Options.</param>
    /// <param name="path">The map's file.</param>
    /// <param name="alsoNamed">Options that were named beside the map.</param>
    /// <exception cref="OptionsException">The map cannot be used, or says the same as another option; all is named.</exception>
    public static WorkerOptions ApplyMap(WorkerOptions options, string path, IReadOnlyList<string> alsoNamed)
    {
        var errors = alsoNamed
            .Where(static name => name is "--layers" or "--bind" or "--port")
            .Select(static name => $"{name}: the map of --stages says this; leave one of the two out.")
            .ToList();
        if (!alsoNamed.Contains("--id"))
        {
            errors.Add("--stages: name this worker's entry in the map with --id.");
        }

        OptionsException.ThrowIfAny(errors);
        var entry = StageMap.Load(path).Find(options.Id);
        if (entry.Address.Scheme != Uri.UriSchemeHttp)
        {
            throw new OptionsException([$"--stages: worker '{entry.Id}' has address {entry.Address}; workers listen without TLS, so write http://."]);
        }

        return options with { Layers = options.NoModel ? null : entry.Layers, Bind = ToBind(entry), Port = entry.Address.Port };
    }

    private static string ToBind(StageMapEntry entry)
    {
        var host = entry.Address.IdnHost.Trim('[', ']');
        if (IPAddress.TryParse(host, out _))
        {
            return host;
        }

        try
        {
            var addresses = Dns.GetHostAddresses(host);
            return (addresses.FirstOrDefault(static address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0]).ToString();
        }
        catch (Exception e) when (e is SocketException or IndexOutOfRangeException)
        {
            throw new OptionsException([$"--stages: worker '{entry.Id}' is to listen at {entry.Address}, and '{host}' cannot be resolved here: write its IP address."]);
        }
    }
}
