using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>A test: <c>value is name(arguments)</c>.</summary>
internal delegate bool TestFunction(RenderState state, TemplateValue value, CallArguments arguments);
