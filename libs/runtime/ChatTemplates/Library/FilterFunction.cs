using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>A filter: <c>value | name(arguments)</c>.</summary>
internal delegate TemplateValue FilterFunction(RenderState state, TemplateValue value, CallArguments arguments);
