using Parallax.Runtime.Models;

namespace Parallax.Runtime.Execution;

/// <summary>One decoder layer's parameters and KV on a device.</summary>
internal sealed class DecoderLayer : IDisposable
{
    public required LayerSpec Spec { get; init; }

    public required DeviceVector AttentionNorm { get; init; }

    /// <summary>Query, key and value projections, computed side by side.</summary>
    public required DeviceMatrix[] Qkv { get; init; }

    public required DeviceVector? QkvBias { get; init; }

    public required AttentionLayer Attention { get; init; }

    public required DeviceMatrix AttentionOutput { get; init; }

    public required DeviceVector? AttentionOutputBias { get; init; }

    public required DeviceVector FeedForwardNorm { get; init; }

    /// <summary>Gate and up projections of a dense block, side by side; empty for experts.</summary>
    public required DeviceMatrix[] GateUp { get; init; }

    public required DeviceVector? GateUpBias { get; init; }

    /// <summary>Down projection of a dense block; null for experts.</summary>
    public required DeviceMatrix? Down { get; init; }

    public required DeviceVector? DownBias { get; init; }

    public required MoeLayer? Moe { get; init; }

    public void Dispose()
    {
        AttentionNorm.Dispose();
        foreach (var matrix in Qkv)
        {
            matrix.Dispose();
        }

        QkvBias?.Dispose();
        Attention.Kv.Dispose();
        Attention.QueryNorm?.Dispose();
        Attention.KeyNorm?.Dispose();
        AttentionOutput.Dispose();
        AttentionOutputBias?.Dispose();
        FeedForwardNorm.Dispose();
        foreach (var matrix in GateUp)
        {
            matrix.Dispose();
        }

        GateUpBias?.Dispose();
        Down?.Dispose();
        DownBias?.Dispose();
        if (Moe is { } moe)
        {
            moe.Router.Dispose();
            foreach (var matrix in moe.Gates.Concat(moe.Ups).Concat(moe.Downs))
            {
                matrix.Dispose();
            }
        }
    }
}
