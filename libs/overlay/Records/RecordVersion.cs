namespace Parallax.Overlay.Records;

/// <summary>What orders the records of one publisher under one key. Time plays no part.</summary>
internal readonly record struct RecordVersion(long Incarnation, long Sequence) : IComparable<RecordVersion>
{
    public int CompareTo(RecordVersion other)
    {
        var order = Incarnation.CompareTo(other.Incarnation);
        return order != 0 ? order : Sequence.CompareTo(other.Sequence);
    }

    public static bool operator <(RecordVersion left, RecordVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(RecordVersion left, RecordVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(RecordVersion left, RecordVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(RecordVersion left, RecordVersion right) => left.CompareTo(right) >= 0;
}
