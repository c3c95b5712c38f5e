namespace Parallax.ModelFiles.Hub;

/// <summary>A file as the hub lists it.</summary>
/// <param name="Name">Its plain name.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Of its contents, hex; null for small files, of which the hub does not tell it.</param>
internal sealed record HubFile(string Name, long Length, string? Sha256);
