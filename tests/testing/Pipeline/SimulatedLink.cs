namespace Parallax.Testing.Pipeline;

/// <summary>A link's sending side: one frame after the other, decode rows before prompts', as the transport sends them.</summary>
internal sealed class SimulatedLink(PipelineSetup setup)
{
    private const int FrameBytes = 256 * 1024;

    private readonly Queue<List<SimulatedRows>> _decodes = new();
    private readonly Queue<List<SimulatedRows>> _prefills = new();

    public bool IsSending { get; set; }

    public void Enqueue(List<SimulatedRows> step)
    {
        var decodes = step.Where(static rows => rows.IsDecode).ToList();
        if (decodes.Count > 0)
        {
            _decodes.Enqueue(decodes);
        }

        var most = Math.Max(1, FrameBytes / setup.RowBytes);
        foreach (var rows in step.Where(static rows => !rows.IsDecode))
        {
            for (var sent = 0; sent < rows.Count; sent += most)
            {
                var count = Math.Min(most, rows.Count - sent);
                _prefills.Enqueue([rows with { Count = count, Sample = rows.Sample && sent + count == rows.Count }]);
            }
        }
    }

    /// <summary>The next frame and how long it occupies the link; null when there is none.</summary>
    public (List<SimulatedRows> Frame, double Ms)? Next()
    {
        if (!_decodes.TryDequeue(out var frame) && !_prefills.TryDequeue(out frame))
        {
            return null;
        }

        return (frame, frame.Sum(static rows => rows.Count) * setup.RowBytes / setup.BytesPerMs);
    }
}
