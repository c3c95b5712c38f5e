using Parallax.Contracts.V1;

namespace Parallax.KvClient.Protocol;

/// <summary>A <see cref="KvGetReply"/>: the part; null when it is missing.</summary>
internal sealed record GetFrame(PartFrame? Part);
