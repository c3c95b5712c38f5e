using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Parallax.KvBlocks;

/// <summary>
/// Whose a part is. Made from the salt of the tenant's block hashes, so that a store learns no tenant's name, and who does not know
/// the salt can name neither the tenant nor its blocks.
/// </summary>
public readonly record struct TenantId(UInt128 Value) : IComparable<TenantId>
{
    /// <summary>Bytes of an id.</summary>
    public const int Size = 16;

    private const string Purpose = "parallax-kv-tenant/1\n";

    /// <summary>The id of the tenant whose block hashes are salted with this.</summary>
    public static TenantId Of(string salt)
    {
        ArgumentNullException.ThrowIfNull(salt);
        return new TenantId(BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(Purpose + salt))));
    }

    /// <inheritdoc/>
    public int CompareTo(TenantId other) => Value.CompareTo(other.Value);

    public static bool operator <(TenantId left, TenantId right) => left.Value < right.Value;

    public static bool operator >(TenantId left, TenantId right) => left.Value > right.Value;

    public static bool operator <=(TenantId left, TenantId right) => left.Value <= right.Value;

    public static bool operator >=(TenantId left, TenantId right) => left.Value >= right.Value;
}
