using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Parallax.Scheduler.Workflow;

/// <summary>Where clients reach this scheduler.</summary>
internal sealed class SchedulerAddress(SchedulerOptions options, IServer server)
{
    /// <summary>What is advertised, or where the server listens; empty before it does.</summary>
    public string Current => options.Advertise ?? server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
}
