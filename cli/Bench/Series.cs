namespace Parallax.Cli.Bench;

/// <summary>Repeated measurements of one thing.</summary>
internal sealed class Series
{
    private readonly List<double> _values = [];

    /// <summary>In the order in which they were measured.</summary>
    public IReadOnlyList<double> Values => _values;

    public void Add(double value) => _values.Add(value);

    /// <summary>The middle value; of an even number the mean of the two in the middle.</summary>
    public double Median
    {
        get
        {
            if (_values.Count == 0)
            {
                throw new InvalidOperationException("Nothing was measured.");
            }

            double[] sorted = [.. _values.Order()];
            var middle = sorted.Length / 2;
            return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    public double Least => _values.Min();

    public double Most => _values.Max();
}
