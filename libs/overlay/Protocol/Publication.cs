using Parallax.Overlay.Records;

namespace Parallax.Overlay.Protocol;

/// <summary>What this peer says under a key.</summary>
internal sealed class Publication
{
    /// <summary>The newest that was signed. With an empty value it is forgotten when <see cref="ExpiresAt"/> has come.</summary>
    public required SignedRecord Record { get; set; }

    public TimeSpan ExpiresAt { get; set; }

    /// <summary>Whether it has been stored, so that it is stored again and again.</summary>
    public bool IsPublished { get; set; }

    public TimeSpan RepublishAt { get; set; }
}
