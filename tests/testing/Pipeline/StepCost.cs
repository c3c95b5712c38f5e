using System.Collections.Immutable;

namespace Parallax.Testing.Pipeline;

/// <summary>How long a stage computes a step of so many rows, in milliseconds: linear between the given points.</summary>
internal sealed class StepCost
{
    private readonly ImmutableArray<(int Rows, double Ms)> _points;

    private StepCost(ImmutableArray<(int Rows, double Ms)> points) => _points = points;

    /// <summary>A part that every step costs, and one for each row.</summary>
    public static StepCost Affine(double fix, double perRow) => new([(0, fix), (1, fix + perRow)]);

    /// <summary>Measured times, by ascending rows; beyond the last point its slope goes on.</summary>
    public static StepCost Table(IEnumerable<(int Rows, double Ms)> points)
    {
        ImmutableArray<(int Rows, double Ms)> table = [.. points];
        ArgumentOutOfRangeException.ThrowIfLessThan(table.Length, 2);
        return new StepCost(table);
    }

    public double Ms(int rows)
    {
        var next = 1;
        while (next < _points.Length - 1 && _points[next].Rows < rows)
        {
            next++;
        }

        var (low, lowMs) = _points[next - 1];
        var (high, highMs) = _points[next];
        var ms = lowMs + ((highMs - lowMs) * (rows - low) / (high - low));

        // Below the first point, and where measurements fall with the rows, a line would leave what is possible.
        return Math.Max(ms, _points[0].Ms);
    }
}
