using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>A method of a text, list, tuple or mapping.</summary>
internal delegate TemplateValue MethodFunction(RenderState state, TemplateValue self, CallArguments arguments);
