using System.Collections.Immutable;

namespace Parallax.Scheduler.Planning;

/// <summary>The latest commands that were carried out; older ones are forgotten.</summary>
internal sealed record CommandMemory(ImmutableDictionary<string, RememberedCommand> ById, ImmutableQueue<string> InOrder)
{
    /// <summary>Commands that are remembered: a caller repeats one within seconds, not thousands of commands later.</summary>
    public const int Most = 1024;

    public static readonly CommandMemory Empty = new(ImmutableDictionary.Create<string, RememberedCommand>(StringComparer.Ordinal), []);

    public CommandMemory With(CommandStamp stamp, long version)
    {
        if (ById.ContainsKey(stamp.Id))
        {
            return this;
        }

        var (byId, inOrder) = (ById.Add(stamp.Id, new RememberedCommand(stamp.Digest, version)), InOrder.Enqueue(stamp.Id));
        if (byId.Count > Most)
        {
            inOrder = inOrder.Dequeue(out var oldest);
            byId = byId.Remove(oldest);
        }

        return new CommandMemory(byId, inOrder);
    }
}

/// <summary>A command that was carried out.</summary>
/// <param name="Digest">Of its contents.</param>
/// <param name="Version">The state's version with its first event.</param>
internal sealed record RememberedCommand(string Digest, long Version);
