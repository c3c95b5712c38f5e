namespace Parallax.Contracts.Messages;

/// <summary>An operator asks the scheduler for something.</summary>
/// <param name="Id">1 to 128 characters, another for each command: a repeated one changes nothing.</param>
/// <param name="Kind">One of <see cref="CommandKinds"/>.</param>
/// <param name="Request">The request of scheduler.proto that belongs to the kind, in protobuf's binary form; its own command_id is ignored.</param>
/// <param name="Issuer">Who asks, for people.</param>
/// <param name="IssuedAt">When, by the sender's clock.</param>
/// <param name="Deadline">When it has failed if it is not complete: it is not begun any more, or not waited for.</param>
public sealed record SubmitCommand(
    string Id, string Kind, ReadOnlyMemory<byte> Request, string Issuer, DateTimeOffset IssuedAt, DateTimeOffset Deadline);
