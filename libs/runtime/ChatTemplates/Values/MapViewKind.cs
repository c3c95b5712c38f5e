namespace Parallax.Runtime.ChatTemplates.Values;

internal enum MapViewKind
{
    Keys,
    Values,
    Items,
}
