namespace Parallax.Bus;

/// <summary>Where messages are sent, as MassTransit names it.</summary>
public static class BusAddresses
{
    /// <summary>What a queue gets its messages through.</summary>
    public static Uri Of(BusOptions options, string queue)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(queue);
        return new Uri(options.IsMemory ? $"queue:{queue}" : $"exchange:{BusNames.EntryOf(queue)}");
    }
}
