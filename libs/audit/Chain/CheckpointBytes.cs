using System.Globalization;
using System.Text;
using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

/// <summary>What a checkpoint's signature is over: its place in the writer's chain and all that it lists.</summary>
public static class CheckpointBytes
{
    /// <param name="stream">The writer's stream.</param>
    /// <param name="previous">The hash of the event before the checkpoint.</param>
    /// <param name="checkpoint">The checkpoint; its signature plays no part.</param>
    public static byte[] Of(string stream, string previous, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        var text = new StringBuilder("parallax/audit/checkpoint/1\n").Append(stream).Append('\n').Append(previous).Append('\n')
            .Append(CultureInfo.InvariantCulture, $"{checkpoint.Number} {checkpoint.Streams.Length} {(checkpoint.IsLast ? 1 : 0)}\n");
        foreach (var head in checkpoint.Streams)
        {
            text.Append(CultureInfo.InvariantCulture, $"{head.Length} {head.Head} {head.Stream}\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
