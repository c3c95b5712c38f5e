using System.Collections.Immutable;
using Parallax.Audit.Chain;

namespace Parallax.Audit.Log;

/// <summary>What of prompts and answers is kept: themselves, or hashes of them only, made with a key that is kept elsewhere.</summary>
/// <param name="key">The key of hashes; empty: contents are kept, and hashes are plain.</param>
public sealed class AuditContents(ReadOnlyMemory<byte> key)
{
    /// <summary>Contents are kept.</summary>
    public static AuditContents Full { get; } = new(ReadOnlyMemory<byte>.Empty);

    /// <summary>Whether contents are kept.</summary>
    public bool IsFull => key.IsEmpty;

    /// <summary>As <see cref="Events.WriterStarted"/> names it.</summary>
    public string Name => IsFull ? "full" : "hashes";

    /// <summary>The key's id; null where contents are kept.</summary>
    public string? KeyId { get; } = key.IsEmpty ? null : ContentHash.KeyId(key.Span);

    /// <summary>Token ids, where they may be kept.</summary>
    public ImmutableArray<int>? Ids(ReadOnlySpan<int> ids) => IsFull ? [.. ids] : null;

    /// <summary>Their hash.</summary>
    public string Hash(ReadOnlySpan<int> ids) => ContentHash.Of(ids, key.Span);

    /// <summary>A text, where it may be kept.</summary>
    public string? Text(string text) => IsFull ? text : null;

    /// <summary>Texts, where they may be kept.</summary>
    public ImmutableArray<string>? Texts(ImmutableArray<string> texts) => IsFull ? texts : null;
}
