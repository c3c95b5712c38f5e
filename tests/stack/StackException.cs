namespace Parallax.StackTest;

/// <summary>A command failed, or something did not come about in time; the message says what there was instead.</summary>
internal sealed class StackException(string message, Exception? cause = null) : Exception(message, cause);
