namespace Parallax.Runtime.Execution;

/// <summary>Activations [rows, columns] in f32 on a backend; its owner resizes it from step to step.</summary>
/// <param name="columns">Columns.</param>
public abstract class DeviceTensor(int columns) : IDisposable
{
    /// <summary>Rows in use.</summary>
    public int Rows { get; protected set; }

    /// <summary>Columns.</summary>
    public int Columns { get; } = columns;

    /// <summary>Sets the rows in use; contents become undefined when it has to grow.</summary>
    public abstract void Resize(int rows);

    /// <summary>Copies rows in, [rows, columns].</summary>
    public abstract void Upload(ReadOnlySpan<float> values);

    /// <summary>Copies rows out, [rows, columns].</summary>
    public abstract void Download(Span<float> values);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the device memory; idempotent.</summary>
    protected abstract void Dispose(bool disposing);
}
