using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Parallax.Hosting.Http;

namespace Parallax.Hosting;

/// <summary>Runs a service as a process.</summary>
public static class RunExtensions
{
    /// <summary>
    /// Starts the service, says where it listens, and stops it in order when cancelled (Ctrl-C, SIGTERM).
    /// </summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunServiceAsync(this WebApplication app, string name, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(output);
        await app.StartAsync(cancellationToken);
        await output.WriteLineAsync($"{name} listens on {app.ListeningAddress()}");
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Ok;
    }
}
