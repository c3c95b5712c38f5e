using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>What a command asks of the loop.</summary>
internal enum CommandKind
{
    Open,
    Start,
    Acknowledge,
    Cancel,
    RenewLease,
    Stop,
    Mirror,
    LinkUp,
    LinkDown,
    LinkRoom,
    Frame,
    Drain,
}

/// <summary>A call on its way to the loop.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Session">Whose.</param>
/// <param name="Epoch">At which epoch.</param>
/// <param name="Value">Start's keep, Acknowledge's known.</param>
/// <param name="Opening">Open's arguments and answer.</param>
/// <param name="Number">Start's next incarnation; of a link, the connection's number.</param>
/// <param name="Link">The link that a command about links concerns.</param>
/// <param name="Content">What came over it.</param>
/// <param name="Answer">Ids that Start brings.</param>
/// <param name="Mirrors">Standbys of the next stage.</param>
internal readonly record struct Command(
    CommandKind Kind,
    SessionId Session = default,
    Epoch Epoch = default,
    int Value = 0,
    Opening? Opening = null,
    long Number = 0,
    object? Link = null,
    IDisposable? Content = null,
    ImmutableArray<int> Answer = default,
    ImmutableArray<MirrorTarget> Mirrors = default);

/// <summary>An Open and who waits for its answer.</summary>
internal sealed class Opening(OpenRequest request, ISessionSink sink)
{
    public OpenRequest Request { get; } = request;

    public ISessionSink Sink { get; } = sink;

    /// <summary>The answer; cancelled by the caller when it goes before the loop has answered.</summary>
    public TaskCompletionSource<OpenResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
