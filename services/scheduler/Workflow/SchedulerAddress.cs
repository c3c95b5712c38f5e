using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Parallax.Scheduler.Workflow;

/// <summary>Where clients reach this scheduler.</summary>
/// <param name="options">What is advertised.</param>
/// <param name="find">Else: where it is reached; null or empty while that is not known.</param>
internal sealed class SchedulerAddress(SchedulerOptions options, Func<string?> find)
{
    /// <summary>What is advertised, or what was found; empty before it is.</summary>
    public string Current => options.Advertise ?? find() ?? "";

    /// <summary>Where a host of its own listens.</summary>
    public static SchedulerAddress Of(SchedulerOptions options, IServer server) =>
        new(options, () => server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault());
}
