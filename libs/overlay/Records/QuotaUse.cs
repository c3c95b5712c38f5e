namespace Parallax.Overlay.Records;

/// <summary>What of a quota is used, by its owner. Entries without use are not kept.</summary>
internal sealed class QuotaUse<TOwner>(Quota quota)
    where TOwner : notnull
{
    private readonly Dictionary<TOwner, Quota> _used = [];

    /// <summary>Whether <paramref name="owner"/> may have <paramref name="records"/> more records and <paramref name="bytes"/> more bytes.</summary>
    public bool Allows(TOwner owner, int records, long bytes)
    {
        var used = Of(owner);
        // What makes it smaller is always allowed.
        return (records <= 0 || used.Records + records <= quota.Records) && (bytes <= 0 || used.Bytes + bytes <= quota.Bytes);
    }

    public void Add(TOwner owner, int records, long bytes)
    {
        var used = Of(owner);
        used = new Quota(used.Records + records, used.Bytes + bytes);
        if (used.Records == 0)
        {
            _used.Remove(owner);
        }
        else
        {
            _used[owner] = used;
        }
    }

    public Quota Of(TOwner owner) => _used.GetValueOrDefault(owner);
}
