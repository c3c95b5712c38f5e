using System.Runtime.CompilerServices;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>
/// Equality of hashable values as dictionary keys: 1, 1.0 and True are one key. Callers bound the size of tuples
/// before they use one as a key, so that this needs no budget.
/// </summary>
internal sealed class KeyComparer : IEqualityComparer<TemplateValue>
{
    public static KeyComparer Instance { get; } = new();

    public bool Equals(TemplateValue x, TemplateValue y)
    {
        if (x.IsText || y.IsText)
        {
            return x.IsText && y.IsText && string.Equals(x.AsText, y.AsText, StringComparison.Ordinal);
        }

        if (x.IsNumber && y.IsNumber)
        {
            return NumberComparison.Equal(x, y);
        }

        if (x.Kind != y.Kind)
        {
            return x.IsUndefined && y.IsUndefined;
        }

        if (x.Kind != ValueKind.Tuple)
        {
            return ReferenceEquals(x.Reference, y.Reference) || x.IsUndefined;
        }

        var (left, right) = (x.AsArray, y.AsArray);
        if (left.Length != right.Length)
        {
            return false;
        }

        for (var i = 0; i < left.Length; i++)
        {
            if (!Equals(left[i], right[i]))
            {
                return false;
            }
        }

        return true;
    }

    public int GetHashCode(TemplateValue obj)
    {
        switch (obj.Kind)
        {
            case ValueKind.Text:
                return obj.AsText.GetHashCode(StringComparison.Ordinal);
            case ValueKind.Boolean or ValueKind.Integer:
                return obj.IsSmallIntegral ? obj.AsLong.GetHashCode() : ((double)obj.AsBig).GetHashCode();
            case ValueKind.Float:
                var number = obj.AsFloat;
                return number == Math.Floor(number) && Math.Abs(number) < 9223372036854775808.0
                    ? ((long)number).GetHashCode()
                    : number.GetHashCode();
            case ValueKind.Tuple:
                var hash = default(HashCode);
                foreach (var item in obj.AsArray)
                {
                    hash.Add(GetHashCode(item));
                }

                return hash.ToHashCode();
            case ValueKind.Object:
                return RuntimeHelpers.GetHashCode(obj.AsObject);
            default:
                return (int)obj.Kind;
        }
    }
}
