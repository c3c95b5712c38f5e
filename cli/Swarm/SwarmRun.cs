using Parallax.Cli.Run;
using Parallax.Hosting;
using Parallax.Hosting.Http;


namespace Parallax.Cli.Swarm;

/// <summary><c>parallax run --listen</c>: founds a swarm and serves until it is stopped.</summary>
internal static class SwarmRun
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(20);

    public static async Task<int> RunAsync(FounderSettings settings)
    {
        settings.ThrowIfInvalid();
        using var signals = new StopSignals();
        PortProbe.ThrowIfTaken(settings.Run.Bind, settings.Run.Port);
        PortProbe.ThrowIfTaken(settings.Listen.Address.ToString(), settings.Listen.Port);
        try
        {
            await using var swarm = await FoundedSwarm.StartAsync(settings, Console.Error, signals.Asked);
            Print(swarm);
            await TellWhenServingAsync(swarm, signals.Asked);
            await signals.WhenAskedAsync();
            Console.Error.WriteLine("Stopping ... (Ctrl-C again ends it at once)");
            await swarm.StopAsync();
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
    }

    private static void Print(FoundedSwarm swarm)
    {
        var address = new Uri(swarm.First.Member.Addresses[0]);
        Console.Out.WriteLine($"""

            Swarm {swarm.Swarm[..8]} is founded; {swarm.Model.Id} is to be served on {swarm.Api}
            On other machines, to give them to it (the token is good for a day; 'parallax token create' makes others):
              parallax join {address.Authority} --token {swarm.Token}
            In another terminal here:
              parallax status --watch

            """);
        Console.Out.Flush();
    }

    /// <summary>Says once when the model can be used, and before that what it waits for.</summary>
    private static async Task TellWhenServingAsync(FoundedSwarm swarm, CancellationToken stop)
    {
        using var http = OwnApi.Connect(swarm.Api);
        var said = "";
        var since = TimeProvider.System.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            using var ready = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), stop);
            if (ready.IsSuccessStatusCode)
            {
                Console.Out.WriteLine($"""
                    Serving {swarm.Model.Id} on {swarm.Api}
                    Ask it something:
                      {Welcome.Curl(LocalAddress.Of(swarm.Api), swarm.Model.Id, swarm.NeedsKeys)}
                    Ctrl-C stops.
                    """);
                Console.Out.Flush();
                return;
            }

            var shortage = swarm.First.Member.Map.Plan is { Shortages.Count: > 0 } plan ? plan.Shortages[0]
                : TimeProvider.System.GetElapsedTime(since) > FirstLook ? "its layers are still being loaded" : "";
            if (shortage.Length > 0 && shortage != said)
            {
                said = shortage;
                Console.Out.WriteLine($"Not serving yet: {shortage}");
                Console.Out.Flush();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), stop);
        }
    }
}
