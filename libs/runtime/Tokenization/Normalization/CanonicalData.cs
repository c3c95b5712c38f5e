using System.Globalization;

namespace Parallax.Runtime.Tokenization.Normalization;

/// <summary>
/// The tables of canonical normalisation, read from the embedded CanonicalData.txt. The framework's own
/// normalisation needs a system library that a bare machine lacks, and differs with that library's version.
/// </summary>
internal sealed class CanonicalData
{
    private static readonly Lazy<CanonicalData> Instance = new(Load);

    private readonly Dictionary<int, int[]> _decompositions = [];
    private readonly Dictionary<long, int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];
    private readonly HashSet<int> _unstable = [];

    public static CanonicalData Shared => Instance.Value;

    /// <summary>One step of a code point's canonical decomposition, or null.</summary>
    public int[]? Decomposition(int point) => _decompositions.GetValueOrDefault(point);

    /// <summary>The code point that a pair composes to, or -1.</summary>
    public int Composition(int first, int second) =>
        _compositions.TryGetValue(((long)first << 32) | (uint)second, out var composed) ? composed : -1;

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public byte CombiningClass(int point) => _classes.GetValueOrDefault(point);

    /// <summary>Whether a text with this code point may not be in composed form.</summary>
    public bool MayCompose(int point) => _unstable.Contains(point);

    private static CanonicalData Load()
    {
        using var stream = typeof(CanonicalData).Assembly.GetManifestResourceStream("Parallax.Runtime.CanonicalData.txt")
            ?? throw new InvalidOperationException("the assembly lacks its resource CanonicalData.txt");
        using var reader = new StreamReader(stream);
        var data = new CanonicalData();
        var classes = false;
        while (reader.ReadLine() is { } line)
        {
            if (line == "-")
            {
                classes = true;
            }
            else if (!line.StartsWith('#'))
            {
                if (classes)
                {
                    data.AddClass(line);
                }
                else
                {
                    data.AddDecomposition(line);
                }
            }
        }

        return data;
    }

    private void AddDecomposition(string line)
    {
        var fields = line.Split(' ');
        var composes = !fields[0].EndsWith('!');
        var point = Hex(fields[0].AsSpan().TrimEnd('!'));
        var parts = Array.ConvertAll(fields[1..], part => Hex(part));
        _decompositions.Add(point, parts);
        if (composes)
        {
            _compositions.Add(((long)parts[0] << 32) | (uint)parts[1], point);
            _unstable.Add(parts[1]);
        }
        else
        {
            _unstable.Add(point);
        }
    }

    private void AddClass(string line)
    {
        var dots = line.IndexOf("..", StringComparison.Ordinal);
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var last = Hex(line.AsSpan(dots + 2, space - dots - 2));
        for (var point = Hex(line.AsSpan(0, dots)); point <= last; point++)
        {
            _classes.Add(point, byte.Parse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture));
            _unstable.Add(point);
        }
    }

    private static int Hex(ReadOnlySpan<char> digits) =>
        int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
