namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>An argument passed by name.</summary>
internal readonly record struct NamedArgument(string Name, TemplateValue Value);
