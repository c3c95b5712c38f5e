using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Parallax.EventStore;

namespace Parallax.Scheduler.Commands;

/// <summary>Commands in the event store: a stream for each, and one that lists their ids in the order in which they came. Thread-safe.</summary>
internal sealed class CommandStore(IEventStore store)
{
    /// <summary>The stream of ids; commands that it has forgotten are found by their ids all the same.</summary>
    public const string IndexStream = "commands";

    /// <summary>Ids that the index keeps at least.</summary>
    public const int MostListed = 1024;

    private const string ListedType = "CommandListed";

    private TaskCompletionSource _submitted = New();

    /// <summary>Completes when this process has listed a command; taken before one looks.</summary>
    public Task Submitted => Volatile.Read(ref _submitted).Task;

    /// <summary>The stream of a command.</summary>
    public static string StreamOf(string id) => $"command/{id}";

    /// <summary>What is known of a command; <see cref="CommandState.None"/> where nothing is.</summary>
    public async Task<CommandState> LoadAsync(string id, CancellationToken cancellationToken)
    {
        var state = CommandState.None;
        await foreach (var stored in store.ReadAsync(StreamOf(id), 1, cancellationToken))
        {
            state = CommandWorkflow.Evolve(state, WorkflowCodec.Decode(stored.Type, stored.Payload), stored.RecordedAt);
        }

        return state;
    }

    /// <summary>Appends events if nobody else has appended since.</summary>
    /// <returns>False when somebody has.</returns>
    public async Task<bool> TryAppendAsync(string id, CommandState state, ImmutableArray<WorkflowEvent> events, CancellationToken cancellationToken)
    {
        ImmutableArray<NewEvent> added = [.. events.Select(static happened =>
        {
            var (type, payload) = WorkflowCodec.Encode(happened);
            return new NewEvent(Guid.CreateVersion7(), type, payload);
        })];
        return await store.AppendAsync(StreamOf(id), state.Version, added, cancellationToken) is AppendResult.Appended;
    }

    /// <summary>Lists a command, once.</summary>
    public async Task ListAsync(string id, CancellationToken cancellationToken)
    {
        var name = Encoding.UTF8.GetBytes(id);
        var unique = new Guid(SHA256.HashData([.. "parallax/command/listed\n"u8, .. name]).AsSpan(0, 16), bigEndian: true);
        await store.AppendAsync(IndexStream, StreamVersion.Any, [new NewEvent(unique, ListedType, name)], cancellationToken);
        Interlocked.Exchange(ref _submitted, New()).SetResult();
    }

    /// <summary>Listed ids from a version of the index on, oldest first.</summary>
    public async IAsyncEnumerable<(long Version, string Id)> ListedAsync(
        long fromVersion, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var stored in store.ReadAsync(IndexStream, fromVersion, cancellationToken))
        {
            yield return (stored.Version, Encoding.UTF8.GetString(stored.Payload.Span));
        }
    }

    /// <summary>Forgets listed ids below a version of the index, not their commands.</summary>
    public Task TrimAsync(long belowVersion, CancellationToken cancellationToken) => store.TrimAsync(IndexStream, belowVersion, cancellationToken);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
