using System.Collections.Immutable;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>One token of an answer.</summary>
/// <param name="Index">Index within the answer, from 0.</param>
/// <param name="Id">The token's id.</param>
/// <param name="LogProb">Natural log of its probability; NaN when not asked for.</param>
/// <param name="TopLogProbs">Most probable alternatives, best first; empty when not asked for.</param>
internal readonly record struct SessionToken(int Index, int Id, float LogProb, ImmutableArray<TokenLogProb> TopLogProbs);
