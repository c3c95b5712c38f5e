using CsCheck;
using Parallax.Runtime.Tokenization;

namespace Parallax.UnitTests.Tokenization;

public sealed class BpeMergerTests
{
    [Fact]
    public void Merge_AnyTable_DoesWhatTheDefinitionSays()
    {
        // Few tokens, so that merges compete and chain; the queue and the scan both meet the definition.
        var merge = Gen.Select(Gen.Int[0, 7], Gen.Int[0, 7], Gen.Int[0, 7], Gen.Int[0, 5]);
        Gen.Select(merge.List[0, 20], Gen.Int[0, 4].Array[0, 120], Gen.Bool).Sample((list, symbols, ties) =>
        {
            var merges = list.Select(m => (m.Item1, m.Item2, m.Item3)).ToList();
            var priorities = ties ? list.Select(m => m.Item4).ToArray() : null;
            var ids = symbols.ToArray();
            var count = BpeMerger.Merge(ids, MergeTable.Create(merges, priorities));
            return ids.Take(count).SequenceEqual(Define(symbols, merges, priorities));
        });
    }

    [Fact]
    public void Merge_OneSymbolOrNone_StaysAsItIs()
    {
        var table = MergeTable.Create([(1, 1, 2)]);
        int[] one = [1];
        Assert.Equal(0, BpeMerger.Merge([], table));
        Assert.Equal(1, BpeMerger.Merge(one, table));
    }

    private static List<int> Define(int[] symbols, List<(int Left, int Right, int Merged)> merges, int[]? priorities)
    {
        var known = new Dictionary<(int, int), (int Priority, int Merged)>();
        for (var i = 0; i < merges.Count; i++)
        {
            known[(merges[i].Left, merges[i].Right)] = (priorities?[i] ?? i, merges[i].Merged);
        }

        var ids = symbols.ToList();
        while (true)
        {
            var best = -1;
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                if (known.TryGetValue((ids[i], ids[i + 1]), out var candidate)
                    && (best < 0 || candidate.Priority < known[(ids[best], ids[best + 1])].Priority))
                {
                    best = i;
                }
            }

            if (best < 0)
            {
                return ids;
            }

            ids[best] = known[(ids[best], ids[best + 1])].Merged;
            ids.RemoveAt(best + 1);
        }
    }
}
