using System.Globalization;
using System.Net;

namespace Parallax.Hosting.Status;

/// <summary>Where a service that has no HTTP address of its own answers machines: <c>/health/live</c>, <c>/health/ready</c>, <c>/metrics</c>.</summary>
/// <param name="Port">The port; 0 takes any free one.</param>
public sealed record StatusOptions(int Port)
{
    /// <summary>The IP address to listen on; loopback by default. There is no authentication, and nothing that is answered is a secret.</summary>
    public string Bind { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Port is < 0 or > 65535)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"--http-port: {Port} is not a port; use 0 to 65535 (0: any free one)."));
        }

        if (!IPAddress.TryParse(Bind, out _))
        {
            errors.Add($"--http-bind: '{Bind}' is not an IP address; use e.g. 127.0.0.1, or 0.0.0.0 for all interfaces.");
        }

        return errors;
    }
}
