using Parallax.Runtime;

namespace Parallax.Scheduler.Commands;

/// <summary>A message that is no command, for people to look at in the error queue; says what is wrong with it.</summary>
internal sealed class CommandRejectedException(string problem) : ParallaxException(problem);
