using System.Net.Sockets;
using Docker.DotNet;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;

namespace Parallax.Testing.Servers;

/// <summary>The Docker engine of this machine, if there is one. Nothing is ever pulled: tests do not wait for a registry.</summary>
internal static class DockerEngine
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly SemaphoreSlim Turn = new(1);
    private static HashSet<string>? _images;

    /// <summary>Whether an engine answers and has an image.</summary>
    public static async Task<bool> HasAsync(string image, CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken);
        try
        {
            _images ??= await ListAsync(cancellationToken);
            return _images.Contains(image);
        }
        finally
        {
            Turn.Release();
        }
    }

    /// <summary>Kills a container with SIGKILL; returns when it is gone.</summary>
    public static async Task KillAsync(string container, CancellationToken cancellationToken)
    {
        using var client = Connect();
        await client.Containers.KillContainerAsync(container, new ContainerKillParameters { Signal = "SIGKILL" }, cancellationToken);
        await client.Containers.WaitContainerAsync(container, cancellationToken);
    }

    private static DockerClient Connect() => TestcontainersSettings.OS.DockerEndpointAuthConfig!.GetDockerClientBuilder().Build();

    private static async Task<HashSet<string>> ListAsync(CancellationToken cancellationToken)
    {
        if (TestcontainersSettings.OS.DockerEndpointAuthConfig is null)
        {
            return []; // no engine is set up
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var client = Connect();
            var images = await client.Images.ListImagesAsync(new ImagesListParameters(), patience.Token);
            return [.. images.SelectMany(static image => image.RepoTags ?? [])];
        }
        catch (Exception problem) when (problem is DockerApiException or HttpRequestException or SocketException or IOException or TimeoutException
            || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return []; // one is set up and does not answer
        }
    }
}
