namespace Parallax.Placement.Grouping;

/// <summary>Z = k^2 / s of k pipelines over s nodes; equal ones go to more pipelines. Compared exactly.</summary>
internal readonly record struct Score(int Pipelines, int Stages) : IComparable<Score>
{
    public double Z => Stages == 0 ? 0 : (double)Pipelines * Pipelines / Stages;

    public int CompareTo(Score other)
    {
        if (Pipelines == 0 || other.Pipelines == 0)
        {
            return Pipelines.CompareTo(other.Pipelines);
        }

        var order = ((Int128)Pipelines * Pipelines * other.Stages).CompareTo((Int128)other.Pipelines * other.Pipelines * Stages);
        return order != 0 ? order : Pipelines.CompareTo(other.Pipelines);
    }

    public static bool operator <(Score left, Score right) => left.CompareTo(right) < 0;

    public static bool operator >(Score left, Score right) => left.CompareTo(right) > 0;

    public static bool operator <=(Score left, Score right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Score left, Score right) => left.CompareTo(right) >= 0;
}
