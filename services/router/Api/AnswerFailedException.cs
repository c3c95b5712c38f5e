namespace Parallax.Router.Api;

/// <summary>A streamed answer failed, and the client has been told in the stream.</summary>
internal sealed class AnswerFailedException(Exception cause) : Exception(cause.Message, cause);
