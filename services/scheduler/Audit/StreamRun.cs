using System.Collections.Immutable;
using Parallax.EventStore;

namespace Parallax.Scheduler.Audit;

/// <summary>Events of one stream that follow each other without gaps, checked.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="First">The number of the first one.</param>
/// <param name="Events">At least one.</param>
internal sealed record StreamRun(string Stream, long First, ImmutableArray<NewEvent> Events);
