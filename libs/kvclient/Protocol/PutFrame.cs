using Parallax.Contracts.V1;

namespace Parallax.KvClient.Protocol;

/// <summary>A <see cref="KvPutRequest"/>: its part, whose bytes are not kept in protobuf's objects, or what else it says.</summary>
internal sealed record PutFrame(KvPutRequest? Control, PartFrame? Part);
