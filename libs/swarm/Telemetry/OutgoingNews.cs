namespace Parallax.Swarm.Telemetry;

/// <summary>A message to be sent.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Worker">Of a worker's record its peer id, else empty.</param>
/// <param name="IsRepeated">Whether it was said before on this connection and is telemetry now.</param>
/// <param name="Envelope">The signed record.</param>
internal readonly record struct OutgoingNews(NewsKind Kind, string Worker, bool IsRepeated, ReadOnlyMemory<byte> Envelope);
