namespace Parallax.Runtime.Tokenization;

/// <summary>
/// Byte-pair encoding's loop: the merge of lowest priority among all neighbours, leftmost first, until none is left.
/// </summary>
internal static class BpeMerger
{
    /// <summary>Up to this many symbols the plain scan is faster than the queue.</summary>
    public const int MaxScanned = 48;

    /// <summary>Merges in place; returns how many symbols remain at the front of <paramref name="ids"/>.</summary>
    public static int Merge(Span<int> ids, MergeTable merges) =>
        ids.Length <= MaxScanned ? MergeByScan(ids, merges) : MergeByQueue(ids, merges);

    private static int MergeByScan(Span<int> ids, MergeTable merges)
    {
        var count = ids.Length;
        Span<int> found = stackalloc int[MaxScanned];
        for (var i = 0; i + 1 < count; i++)
        {
            found[i] = merges.Find(ids[i], ids[i + 1]);
        }

        while (count > 1)
        {
            var best = -1;
            var bestPriority = int.MaxValue;
            for (var i = 0; i + 1 < count; i++)
            {
                if (found[i] >= 0 && merges.Priority(found[i]) < bestPriority)
                {
                    (best, bestPriority) = (i, merges.Priority(found[i]));
                }
            }

            if (best < 0)
            {
                break;
            }

            ids[best] = merges.Merged(found[best]);
            ids[(best + 2)..count].CopyTo(ids[(best + 1)..]);
            found[(best + 1)..(count - 1)].CopyTo(found[best..]);
            count--;
            if (best + 1 < count)
            {
                found[best] = merges.Find(ids[best], ids[best + 1]);
            }

            if (best > 0)
            {
                found[best - 1] = merges.Find(ids[best - 1], ids[best]);
            }
        }

        return count;
    }

    private static int MergeByQueue(Span<int> ids, MergeTable merges)
    {
        // 1. A doubly linked list over the symbols, and for each symbol the merge with its right neighbour.
        var count = ids.Length;
        var next = new int[count];
        var previous = new int[count];
        var found = new int[count];
        var queue = new List<(int, ulong)>(count);
        for (var i = 0; i < count; i++)
        {
            next[i] = i + 1 < count ? i + 1 : -1;
            previous[i] = i - 1;
            found[i] = i + 1 < count ? merges.Find(ids[i], ids[i + 1]) : -1;
            if (found[i] >= 0)
            {
                queue.Add((i, Order(merges.Priority(found[i]), i)));
            }
        }

        // 2. The queue may hold merges of neighbours that have changed since: those are skipped.
        var pending = new PriorityQueue<int, ulong>(queue);
        while (pending.TryDequeue(out var at, out var order))
        {
            if (found[at] < 0 || Order(merges.Priority(found[at]), at) != order)
            {
                continue;
            }

            var right = next[at];
            ids[at] = merges.Merged(found[at]);
            found[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0)
            {
                previous[next[at]] = at;
            }

            Refresh(ids, at);
            if (previous[at] >= 0)
            {
                Refresh(ids, previous[at]);
            }
        }

        // 3. What is left, moved to the front.
        var write = 0;
        for (var i = count > 0 ? 0 : -1; i >= 0; i = next[i])
        {
            ids[write++] = ids[i];
        }

        return write;

        void Refresh(Span<int> symbols, int at)
        {
            found[at] = next[at] >= 0 ? merges.Find(symbols[at], symbols[next[at]]) : -1;
            if (found[at] >= 0)
            {
                pending.Enqueue(at, Order(merges.Priority(found[at]), at));
            }
        }
    }

    private static ulong Order(int priority, int position) => ((ulong)(uint)priority << 32) | (uint)position;
}
