namespace Parallax.Runtime.Execution;

/// <summary>A client's part in the fair division of steps.</summary>
internal sealed class ClientShare(string name, int slot)
{
    public string Name { get; } = name;

    /// <summary>Index of its service counter.</summary>
    public int Slot { get; } = slot;

    /// <summary>Its sessions in the table.</summary>
    public int Sessions { get; set; }

    /// <summary>Of those, the started ones.</summary>
    public int Started { get; set; }
}
