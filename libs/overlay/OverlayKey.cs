using System.Security.Cryptography;
using System.Text;
using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay;

/// <summary>A place in the overlay: 160 bits in the same space as peer ids.</summary>
public readonly record struct OverlayKey(PeerId Value)
{
    /// <summary>The key of a name within a swarm.</summary>
    public static OverlayKey Of(string swarm, string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"parallax\n{swarm}\n{name}"), hash);
        return new OverlayKey(new PeerId(hash[..PeerId.Size]));
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}
