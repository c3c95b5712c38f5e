using System.Buffers.Binary;
using Parallax.Contracts.Identifiers;

namespace Parallax.KvClient.Instances;

/// <summary>An instance of the service.</summary>
/// <param name="Id">Its peer id: who must answer there.</param>
/// <param name="Address">Where it is dialled.</param>
public sealed record KvInstance(PeerId Id, Uri Address)
{
    /// <summary>What stands for it in the rendezvous.</summary>
    internal ulong Key { get; } = BinaryPrimitives.ReadUInt64BigEndian(Id.ToByteArray());
}
