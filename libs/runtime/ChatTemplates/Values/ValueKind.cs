namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>The type of a value. <see cref="Missing"/> marks a variable slot or an argument that nobody has filled.</summary>
internal enum ValueKind : byte
{
    Missing,
    Undefined,
    None,
    Boolean,
    Integer,
    Float,
    Text,
    List,
    Tuple,
    Map,
    Object,
}
