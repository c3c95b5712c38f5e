namespace Parallax.Testing.Servers;

/// <summary>
/// A real server of one test or of many: a container where a Docker engine answers and has the image, else a process on loopback.
/// It is empty when it starts, and goes with everything in it when it is disposed of or the tests die.
/// </summary>
public abstract class TestServer : IAsyncDisposable
{
    private protected static readonly TimeSpan StartTime = TimeSpan.FromMinutes(3);

    private protected TestServer()
    {
    }

    /// <summary>Where it listens.</summary>
    public virtual string Host => "127.0.0.1";

    /// <summary>Its port, the same after a restart.</summary>
    public int Port { get; private protected set; }

    /// <summary>Kills it with SIGKILL, as a machine that loses power would; returns when it is gone.</summary>
    public abstract Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Starts it again on the same port and data after <see cref="KillAsync"/>; returns when it answers.</summary>
    public abstract Task StartAsync(CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract ValueTask StopAsync();

    private protected abstract Task<bool> AnswersAsync(CancellationToken cancellationToken);

    private protected static async Task<string?> MissingReasonAsync(string? localReason, string image, CancellationToken cancellationToken) =>
        localReason is { } reason && !await DockerEngine.HasAsync(image, cancellationToken) ? reason : null;

    private protected static async Task<T> StartNewAsync<T>(string image, Func<T> container, Func<T> local, CancellationToken cancellationToken)
        where T : TestServer
    {
        var server = await DockerEngine.HasAsync(image, cancellationToken) ? container() : local();
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }
}
