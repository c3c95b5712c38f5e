using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Parallax.Testing.Network;

namespace Parallax.PipelineBenchmark.Links;

/// <summary>What a round trip through a proxy really takes here: the proxy's own threads and a busy machine add to it.</summary>
internal static class RoundTripProbe
{
    /// <summary>The median of several, in milliseconds.</summary>
    public static async Task<double> MeasureAsync(LinkShape shape, CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var proxy = new DelayingProxy(((IPEndPoint)listener.LocalEndpoint).Port, shape);
        using var near = new TcpClient { NoDelay = true };
        await near.ConnectAsync(IPAddress.Loopback, proxy.Port, cancellationToken);
        using var far = await listener.AcceptTcpClientAsync(cancellationToken);
        far.NoDelay = true;
        var times = new List<double>();
        for (var i = 0; i < 21; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await PassAsync(near, far, cancellationToken);
            await PassAsync(far, near, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }

    private static async Task PassAsync(TcpClient from, TcpClient to, CancellationToken cancellationToken)
    {
        var bytes = new byte[64];
        await from.GetStream().WriteAsync(bytes, cancellationToken);
        await to.GetStream().ReadExactlyAsync(bytes, cancellationToken);
    }
}
