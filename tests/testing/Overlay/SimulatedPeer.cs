using System.Buffers.Binary;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Routing;

namespace Parallax.Testing.Overlay;

/// <summary>A peer of an <see cref="OverlaySimulation"/>: the protocol that real peers run, and where it stands.</summary>
internal sealed class SimulatedPeer
{
    public SimulatedPeer(int number, long incarnation, CoreSettings settings, IReadOnlyList<Uri> bootstrap, int seed)
    {
        Number = number;
        var publicKey = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(publicKey, number);
        // Addresses are spread over networks, as machines of many owners are.
        var address = new Uri($"http://{10 + (number % 200)}.{number / 200 % 250}.{number / 50_000}.1:7000");
        Contact = new PeerContact(PeerId.OfPublicKey(publicKey), address);
        Caller = Contact.Id.ToString();
        Core = new OverlayCore(
            settings, Contact, incarnation, bootstrap, new UncheckedSignatures(publicKey), UncheckedSignatures.Verifier, new Random(seed));
    }

    public int Number { get; }

    public PeerContact Contact { get; }

    /// <summary>What others count its calls under.</summary>
    public string Caller { get; }

    public OverlayCore Core { get; }

    public bool IsAlive { get; set; } = true;

    /// <summary>Which side of a partition it is on.</summary>
    public int Side { get; set; }
}
