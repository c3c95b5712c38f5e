namespace Parallax.Runtime.ChatTemplates;

/// <summary>Why a chat template could not be read or rendered, and thereby whose fault it is.</summary>
public enum ChatTemplateFault
{
    /// <summary>The template's source is not valid, or uses a construct that is refused. The model's fault.</summary>
    Syntax,

    /// <summary>
    /// An operation failed while rendering: an undefined value was used, types do not fit, a filter refused its
    /// argument. Usually the conversation has a shape that the template does not know.
    /// </summary>
    Evaluation,

    /// <summary>The template called <c>raise_exception</c>: the conversation is one that it rejects (HTTP 400).</summary>
    Raised,

    /// <summary>A limit of <see cref="RenderLimits"/> or of the parser was reached.</summary>
    Limit,

    /// <summary>A value handed to the template cannot be represented (for example text with half a character).</summary>
    Input,
}
