namespace Parallax.Scheduler.Workflow;

/// <summary>An error of the program in the midst of a decision; nothing was decided.</summary>
internal sealed class DecisionFailedException(string message, Exception cause) : Exception(message, cause);
