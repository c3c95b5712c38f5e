using Parallax.Runtime;

namespace Parallax.Audit.Chain;

/// <summary>Something that is no event of the audit, or of a version that this program does not know; says which.</summary>
public sealed class AuditFormatException(string message, Exception? cause = null) : ParallaxException(message, cause)
{
    /// <summary>Whether a newer program wrote it: its place in the chain can be read all the same (<see cref="AuditCodec.ReadEnvelope"/>).</summary>
    public bool IsNewer { get; init; }
}
