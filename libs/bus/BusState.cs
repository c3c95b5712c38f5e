using MassTransit;

namespace Parallax.Bus;

/// <summary>Whether the bus can be used just now, for readiness and metrics. Thread-safe.</summary>
public sealed class BusState(IBusControl bus, BusOptions options)
{
    /// <summary>Whether the broker is connected and all queues are read. The bus of this process always is, once it has started.</summary>
    public bool IsConnected => bus.CheckHealth().Status == BusHealthStatus.Healthy;

    /// <summary>What is wrong, for people; null when nothing is.</summary>
    public string? Problem
    {
        get
        {
            var health = bus.CheckHealth();
            if (health.Status == BusHealthStatus.Healthy)
            {
                return null;
            }

            var cause = health.Exception ?? health.Endpoints.Values.Select(static endpoint => endpoint.Exception).FirstOrDefault(static one => one is not null);
            return $"The bus at {options} is not connected: {cause?.Message ?? health.Description}";
        }
    }
}
