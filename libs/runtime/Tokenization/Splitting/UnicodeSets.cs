using System.Globalization;

namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>The code-point sets that split patterns name: general categories, white space, word characters.</summary>
internal static class UnicodeSets
{
    private static readonly string[] CategoryNames =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
        "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly Lazy<Dictionary<string, CodePointSet>> ByName = new(BuildCategories);

    private static readonly Lazy<CodePointSet> WordSet = new(() =>
    {
        var set = CodePointSet.FromRanges(
        [
            (0x200C, 0x200D), // the joiners
            (0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189), // symbols that are letters
        ]);
        foreach (var category in (ReadOnlySpan<string>)["L", "M", "Nd", "Nl", "Pc"])
        {
            set = set.Union(ByName.Value[category]);
        }

        return set;
    });

    /// <summary>The property White_Space, which is what <c>\s</c> means in tokenizer files.</summary>
    public static CodePointSet WhiteSpace { get; } = CodePointSet.FromRanges(
    [
        (0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
        (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ]);

    public static CodePointSet DecimalDigits => ByName.Value["Nd"];

    /// <summary>What <c>\w</c> means (UTS 18): letters, marks, decimal digits, connecting punctuation, joiners.</summary>
    public static CodePointSet Word => WordSet.Value;

    /// <summary>The set of a general category (<c>Lu</c>) or group of them (<c>L</c>); null for any other name.</summary>
    public static CodePointSet? Category(string name) => ByName.Value.GetValueOrDefault(name);

    /// <summary>The set closed under upper and lower case, for patterns under <c>(?i)</c>.</summary>
    public static CodePointSet FoldCase(CodePointSet set)
    {
        var ranges = new List<(int, int)>();
        var bounds = set.Bounds;
        for (var i = 0; i < bounds.Length; i += 2)
        {
            ranges.Add((bounds[i], bounds[i + 1]));
            for (var point = bounds[i]; point <= bounds[i + 1]; point++)
            {
                if (!System.Text.Rune.IsValid(point))
                {
                    continue;
                }

                var rune = new System.Text.Rune(point);
                Add(System.Text.Rune.ToUpperInvariant(rune).Value);
                Add(System.Text.Rune.ToLowerInvariant(rune).Value);
            }
        }

        // Letters that fold to ASCII ones but whose simple upper or lower case is not in the tables above.
        AddIf('s', 0x17F);
        AddIf('k', 0x212A);
        AddIf(0xE5, 0x212B);
        return CodePointSet.FromRanges(ranges);

        void Add(int point) => ranges.Add((point, point));

        void AddIf(int letter, int fold)
        {
            if (set.Contains(letter) || set.Contains(System.Text.Rune.ToUpperInvariant(new System.Text.Rune(letter)).Value))
            {
                Add(fold);
            }
        }
    }

    private static Dictionary<string, CodePointSet> BuildCategories()
    {
        var ranges = new List<(int First, int Last)>[CategoryNames.Length];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = [];
        }

        var first = 0;
        var category = CharUnicodeInfo.GetUnicodeCategory(0);
        for (var point = 1; point <= CodePointSet.Last + 1; point++)
        {
            var next = point <= CodePointSet.Last ? CharUnicodeInfo.GetUnicodeCategory(point) : (UnicodeCategory)(-1);
            if (next != category)
            {
                ranges[(int)category].Add((first, point - 1));
                (first, category) = (point, next);
            }
        }

        var sets = new Dictionary<string, CodePointSet>(StringComparer.Ordinal);
        for (var i = 0; i < ranges.Length; i++)
        {
            var set = CodePointSet.FromRanges(ranges[i]);
            var group = CategoryNames[i][..1];
            sets[CategoryNames[i]] = set;
            sets[group] = sets.TryGetValue(group, out var sum) ? sum.Union(set) : set;
        }

        return sets;
    }
}
