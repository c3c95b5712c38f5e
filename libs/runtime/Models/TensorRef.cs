namespace Parallax.Runtime.Models;

/// <summary>
/// Names a parameter in a checkpoint: a tensor, or one slice along the first dimension of a stacked tensor
/// (GGUF keeps all experts of a layer in one tensor [experts, out, in]).
/// </summary>
/// <param name="Name">The tensor's name in the model's own files.</param>
/// <param name="Slice">Index along the first dimension of a stacked tensor; null for a whole tensor.</param>
public readonly record struct TensorRef(string Name, int? Slice = null)
{
    /// <inheritdoc/>
    public override string ToString() => Slice is { } slice ? $"{Name}[{slice}]" : Name;
}
