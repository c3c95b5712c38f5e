namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>The variables of one run of a scope. A slot is missing until it is set; names then mean the outer scope's.</summary>
internal sealed class Frame(int slots, Frame? parent)
{
    public TemplateValue[] Slots { get; } = slots == 0 ? [] : new TemplateValue[slots];

    public Frame? Parent { get; } = parent;
}
