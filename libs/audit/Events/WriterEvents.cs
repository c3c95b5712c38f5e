using System.Collections.Immutable;

namespace Parallax.Audit.Events;

/// <summary>A writer begins a term: the first event of its stream.</summary>
/// <param name="Writer">The peer id of its key.</param>
/// <param name="Term">Which run of it: rises by one.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo in DER, Base64; the writer's id is its hash.</param>
/// <param name="Certificate">Its swarm's certificate for that key in DER, Base64; null where it is in no swarm.</param>
/// <param name="PreviousHead">The head of its previous term's stream; null for its first term, or where that is unknown.</param>
/// <param name="PreviousLength">The length of that stream; 0 where it is unknown.</param>
/// <param name="Contents">Whether contents are kept: <c>full</c> or <c>hashes</c>.</param>
/// <param name="Authority">The swarm's own certificate in DER, Base64, so that who knows the swarm's id can check the other; null where it is in no swarm.</param>
public sealed record WriterStarted(
    string Writer, long Term, string PublicKey, string? Certificate, string? PreviousHead, long PreviousLength, string Contents, string? Authority = null) : AuditEvent;

/// <summary>Where a stream stands.</summary>
/// <param name="Stream">Its name.</param>
/// <param name="Length">Its events.</param>
/// <param name="Head">The hash of the last one.</param>
public sealed record StreamHead(string Stream, long Length, string Head);

/// <summary>
/// All streams of the term that grew since the checkpoint before, as they stand: together, a term's checkpoints list every
/// stream. Checkpoints are events of the writer's stream, and so chained.
/// </summary>
/// <param name="Number">From 1 within the term, without gaps.</param>
/// <param name="Streams">The streams, by name.</param>
/// <param name="IsLast">Whether the term ended in order with it.</param>
/// <param name="Signature">The writer's, Base64, over <see cref="Chain.CheckpointBytes"/>.</param>
public sealed record Checkpoint(long Number, ImmutableArray<StreamHead> Streams, bool IsLast, string Signature) : AuditEvent;

/// <summary>Streams were deleted because they had been kept long enough: not a loss, and said by whom.</summary>
/// <param name="Before">They had ended before this time.</param>
/// <param name="Streams">What was deleted.</param>
/// <param name="Reason">For people.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo in DER, Base64, of who deleted them; the stream is named after its id.</param>
/// <param name="Certificate">Its swarm's certificate for that key in DER, Base64; null where it is in no swarm.</param>
/// <param name="Authority">The swarm's own certificate in DER, Base64; null where it is in no swarm.</param>
/// <param name="Signature">Its signature, Base64, over <see cref="Chain.RetirementBytes"/>.</param>
public sealed record StreamsRetired(
    DateTimeOffset Before, ImmutableArray<StreamHead> Streams, string Reason, string PublicKey, string? Certificate, string? Authority, string Signature) : AuditEvent;
