using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Parallax.Hosting.Tracing;

/// <summary>
/// Sends this process's spans to a collector, by OpenTelemetry's own environment variables: <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>
/// turns it on. One for the process, however many services it has, so that no span is sent twice.
/// </summary>
public static class ProcessTracing
{
    /// <summary>Turns tracing on.</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const string NameVariable = "OTEL_SERVICE_NAME";

    /// <summary>Starts to send spans; null where the environment names no collector. What is disposed of sends what is left.</summary>
    public static IDisposable? Start() => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)) ? null : Sdk
        .CreateTracerProviderBuilder()
        .ConfigureResource(static resource => resource.AddService(
            Environment.GetEnvironmentVariable(NameVariable) is { Length: > 0 } name ? name : Assembly.GetEntryAssembly()?.GetName().Name ?? "parallax",
            serviceInstanceId: Environment.MachineName))
        .AddSource("Parallax.*", "Microsoft.AspNetCore", "MassTransit")
        .AddOtlpExporter()
        .Build();
}
