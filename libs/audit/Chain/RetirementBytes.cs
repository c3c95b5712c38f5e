using System.Globalization;
using System.Text;
using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

/// <summary>What the signature of a retirement is over: its place in its chain and all that it lists.</summary>
public static class RetirementBytes
{
    /// <param name="stream">The stream of retirements.</param>
    /// <param name="previous">The hash of the event before.</param>
    /// <param name="retired">The retirement; its signature plays no part.</param>
    public static byte[] Of(string stream, string previous, StreamsRetired retired)
    {
        ArgumentNullException.ThrowIfNull(retired);
        var text = new StringBuilder("parallax/audit/retired/1\n").Append(stream).Append('\n').Append(previous).Append('\n')
            .Append(CultureInfo.InvariantCulture, $"{retired.Before.UtcTicks} {retired.Streams.Length} {Encoding.UTF8.GetByteCount(retired.Reason)} {retired.Reason}\n");
        foreach (var head in retired.Streams)
        {
            text.Append(CultureInfo.InvariantCulture, $"{head.Length} {head.Head} {head.Stream}\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
