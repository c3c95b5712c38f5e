namespace Parallax.Bus;

/// <summary>The names on the broker, all of them fixed, so that permissions can name them (docs/bus.md).</summary>
public static class BusNames
{
    /// <summary>The queue of audit events.</summary>
    public const string Audit = "parallax.audit";

    /// <summary>The queue of operators' commands.</summary>
    public const string Commands = "parallax.commands";

    /// <summary>The queue of questions about commands.</summary>
    public const string CommandStatus = "parallax.command-status";

    /// <summary>Begins the names of queues for answers, one for each process.</summary>
    public const string ReplyPrefix = "parallax.reply.";

    /// <summary>The exchange where senders put what a queue is to get: they need no rights to the queue itself.</summary>
    public static string EntryOf(string queue) => queue + ".entry";
}
