namespace Parallax.Runtime.Execution;

/// <summary>A small parameter vector (norm weights, bias) in f32 on a backend.</summary>
/// <param name="length">Elements.</param>
public abstract class DeviceVector(int length) : IDisposable
{
    /// <summary>Elements.</summary>
    public int Length { get; } = length;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the device memory; idempotent.</summary>
    protected abstract void Dispose(bool disposing);
}
