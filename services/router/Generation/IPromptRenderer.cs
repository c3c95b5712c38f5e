using Parallax.Router.Api.Requests;

namespace Parallax.Router.Generation;

/// <summary>Turns a conversation into the text that the model was trained on.</summary>
internal interface IPromptRenderer
{
    /// <summary>Renders the conversation, up to where the assistant's answer begins.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="now">The time that a template may show.</param>
    /// <exception cref="Api.ApiException">The template rejects the conversation (400), with its own words.</exception>
    string Render(IReadOnlyList<ChatMessage> messages, DateTimeOffset now);
}
