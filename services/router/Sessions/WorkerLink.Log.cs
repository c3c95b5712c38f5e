using System.Collections.Immutable;
using Message = Parallax.Contracts.V1.WorkerMessage.MessageOneofCase;

namespace Parallax.Router.Sessions;

internal sealed partial class WorkerLink
{
    private static string Describe(ImmutableArray<ShardOffer> shards) => shards.IsEmpty
        ? "no model"
        : string.Join(", ", shards.Select(static shard => $"{shard.Model} {shard.Range} of {shard.LayerCount} ({shard.NumericClass.Fingerprint})"));

    [LoggerMessage(20, LogLevel.Information, "Connected to worker {Address}: {Shards}")]
    private partial void LogConnected(Uri address, string shards);

    [LoggerMessage(25, LogLevel.Information, "Worker {Address} now serves {Shards}")]
    private partial void LogServing(Uri address, string shards);

    [LoggerMessage(21, LogLevel.Warning, "Lost worker {Address}: {Problem}")]
    private partial void LogLost(Uri address, string problem);

    [LoggerMessage(22, LogLevel.Warning, "Worker {Address} cannot be reached, trying on: {Problem}")]
    private partial void LogUnreachable(Uri address, string problem);

    [LoggerMessage(23, LogLevel.Information, "Worker {Address} is stopping")]
    private partial void LogDraining(Uri address);

    [LoggerMessage(24, LogLevel.Warning, "Worker {Address} sent {Message}, which was ignored")]
    private partial void LogIgnored(Uri address, Message message);
}
