using System.Buffers;

namespace Parallax.Router.Api;

/// <summary>Where an answer's bytes go. One writer.</summary>
internal interface IAnswerOutput
{
    /// <summary>Cancelled when nobody wants the answer any more.</summary>
    CancellationToken Aborted { get; }

    /// <summary>Takes bytes; they leave with <see cref="FlushAsync"/>.</summary>
    IBufferWriter<byte> Body { get; }

    /// <summary>Begins the response: there is no way back to an error's status.</summary>
    /// <param name="contentType">What follows.</param>
    Task BeginAsync(string contentType);

    /// <summary>Sends what was written, and waits while the client is slow.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Sends a comment between two events. It is no part of the answer.</summary>
    ValueTask CommentAsync(string text, CancellationToken cancellationToken);
}
