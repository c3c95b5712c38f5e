namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>How a statement ended, as seen by the loop around it.</summary>
internal enum Flow
{
    Normal,
    Continue,
    Break,
}
