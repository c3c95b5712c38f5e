using Parallax.Runtime.Models;

namespace Parallax.Runtime.Weights;

/// <summary>The tensors of one model, memory-mapped; only what is opened is read from disk.</summary>
public interface IWeightSource : IDisposable
{
    /// <summary>The model's folder or file, for messages.</summary>
    string Location { get; }

    /// <summary>Whether the checkpoint holds the tensor.</summary>
    bool Contains(string name);

    /// <summary>
    /// Opens a parameter as a matrix of the expected shape.
    /// </summary>
    /// <param name="reference">Which tensor.</param>
    /// <param name="rows">Expected rows; a vector has one row.</param>
    /// <param name="columns">Expected columns.</param>
    /// <exception cref="ModelFormatException">Missing, or of another shape; names file and tensor.</exception>
    WeightTensor Open(TensorRef reference, int rows, int columns);
}
