using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Parallax.Identity;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Joining;

/// <summary>Opens NATS for a member, where it is asked for.</summary>
public static class MemberNews
{
    /// <summary>Null without options. Connects in the background.</summary>
    public static NatsTelemetry? Open(NatsOptions? options, SwarmCredentials credentials, ILoggerFactory loggers) => options is null ? null : new NatsTelemetry(
        options,
        credentials.Swarm.ToString(),
        credentials.Self.Abbreviated,
        TimeProvider.System,
        loggers.CreateLogger<NatsTelemetry>(),
        RandomNumberGenerator.GetInt32(int.MaxValue));
}
