namespace Parallax.Runtime.Execution;

/// <summary>A weight matrix [rows, columns] as a backend keeps it.</summary>
/// <param name="name">The tensor's name, for messages.</param>
/// <param name="rows">Output features.</param>
/// <param name="columns">Input features.</param>
/// <param name="bytes">Memory it takes.</param>
public abstract class DeviceMatrix(string name, int rows, int columns, long bytes) : IDisposable
{
    /// <summary>The tensor's name, for messages.</summary>
    public string Name { get; } = name;

    /// <summary>Output features.</summary>
    public int Rows { get; } = rows;

    /// <summary>Input features.</summary>
    public int Columns { get; } = columns;

    /// <summary>Memory it takes.</summary>
    public long Bytes { get; } = bytes;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the device memory; idempotent.</summary>
    protected abstract void Dispose(bool disposing);
}
