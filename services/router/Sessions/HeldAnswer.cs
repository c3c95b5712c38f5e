using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Router.Sessions;

/// <summary>What a head holds of a session's answer, running or ended.</summary>
/// <param name="Epoch">The session's epoch there.</param>
/// <param name="Ids">All ids of the answer so far.</param>
internal sealed record HeldAnswer(Epoch Epoch, ImmutableArray<int> Ids);
