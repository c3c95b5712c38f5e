using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's sorted(): stable, and an error where two items have no order.</summary>
internal static class Sorting
{
    /// <summary>Sorts items by keys of the same positions.</summary>
    public static TemplateValue[] ByKeys(RenderState state, TemplateValue[] items, TemplateValue[] keys, bool reverse)
    {
        var order = state.NewArray(items.Length).Length == 0 ? [] : Enumerable.Range(0, items.Length).ToArray();
        MergeSort(state, order, new int[order.Length], keys, reverse);
        return [.. order.Select(index => items[index])];
    }

    public static KeyValuePair<TemplateValue, TemplateValue>[] ByKey(RenderState state, MapValue map)
    {
        var keys = state.NewArray(map.Count);
        var order = new int[map.Count];
        for (var i = 0; i < order.Length; i++)
        {
            (keys[i], order[i]) = (map[i].Key, i);
        }

        MergeSort(state, order, new int[order.Length], keys, reverse: false);
        return [.. order.Select(index => map[index])];
    }

    // Bottom-up, because a library sort may call an inconsistent comparison (NaN) in ways that differ or fail.
    private static void MergeSort(RenderState state, int[] order, int[] scratch, TemplateValue[] keys, bool reverse)
    {
        for (var width = 1; width < order.Length; width = checked(width * 2))
        {
            for (var start = 0; start < order.Length; start += 2 * width)
            {
                var middle = Math.Min(start + width, order.Length);
                var end = Math.Min(start + (2 * width), order.Length);
                Merge(state, order, scratch, keys, reverse, start, middle, end);
            }

            scratch.CopyTo(order, 0);
        }
    }

    private static void Merge(
        RenderState state, int[] order, int[] scratch, TemplateValue[] keys, bool reverse, int start, int middle, int end)
    {
        var (left, right) = (start, middle);
        for (var target = start; target < end; target++)
        {
            state.Charge(1);
            var takeRight = left >= middle || (right < end && Precedes(state, keys[order[right]], keys[order[left]], reverse));
            scratch[target] = takeRight ? order[right++] : order[left++];
        }
    }

    /// <summary>Strictly before, so that equal items keep their order also in reverse.</summary>
    private static bool Precedes(RenderState state, TemplateValue first, TemplateValue second, bool reverse)
    {
        var order = reverse
            ? Comparison.Order(state, second, first, "sorting")
            : Comparison.Order(state, first, second, "sorting");
        return order < 0;
    }
}
