namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>
/// The names that one scope of the source sets. Loops, macros, blocks that capture and <c>with</c> open a scope; a name
/// set inside is gone outside. A name that is not set yet means the outer scope's.
/// </summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);

    public Scope? Parent { get; } = parent;

    public int SlotCount => _slots.Count;

    /// <summary>Whether a macro or a recursive loop inside may keep a frame of this scope alive.</summary>
    public bool IsCaptured { get; private set; }

    /// <summary>The slot of a name, made if need be.</summary>
    public int Declare(string name)
    {
        if (!_slots.TryGetValue(name, out var slot))
        {
            slot = _slots.Count;
            _slots.Add(name, slot);
        }

        return slot;
    }

    /// <summary>Marks this scope and all around it as captured.</summary>
    public void Capture()
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            scope.IsCaptured = true;
        }
    }

    /// <summary>Where the name may be found, innermost first.</summary>
    public SlotAddress[] Resolve(string name)
    {
        var addresses = new List<SlotAddress>();
        var hops = 0;
        for (var scope = this; scope is not null; scope = scope.Parent, hops++)
        {
            if (scope._slots.TryGetValue(name, out var slot))
            {
                addresses.Add(new SlotAddress(hops, slot));
            }
        }

        return [.. addresses];
    }
}
