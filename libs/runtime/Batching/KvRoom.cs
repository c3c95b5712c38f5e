namespace Parallax.Runtime.Batching;

/// <summary>Room in one KV group.</summary>
/// <param name="Available">Blocks that can be had without taking one from a session.</param>
/// <param name="PeakPerSession">The most blocks that one session ever holds of the group; int.MaxValue when its length decides.</param>
internal readonly record struct KvRoom(int Available, int PeakPerSession);
