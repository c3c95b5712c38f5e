namespace Parallax.Cli.Chat;

/// <summary>What a streamed answer says, part by part.</summary>
internal abstract record CompletionEvent;

/// <summary>More text.</summary>
internal sealed record TextAdded(string Text) : CompletionEvent;

/// <summary>The answer is over.</summary>
/// <param name="Reason"><c>stop</c>, <c>length</c>, or another reason of the server's.</param>
internal sealed record AnswerFinished(string Reason) : CompletionEvent;
