namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>
/// A model of few layers whose values are hashes: what a layer holds of a position depends on its input there, what it puts out
/// on all that it holds, what is drawn on that and on the answer so far. So a wrong or missing input changes a token.
/// </summary>
internal static class ToyModel
{
    /// <summary>A sampler that has seen nothing of an answer.</summary>
    public const int NewSampler = 17;

    public static int Embed(int id, int position) => Mix(id + 1, position + 101, 5);

    /// <summary>What a layer keeps of a position.</summary>
    public static int Keep(int layer, int position, int input) => Mix(input, position, 1000 + layer);

    /// <summary>A layer's output at a position, of what it keeps of this one and, within the window, of those before.</summary>
    public static int Output(int layer, ReadOnlySpan<int> kept, int position, int own, int window)
    {
        var value = layer + 77;
        for (var at = window == 0 ? 0 : Math.Max(0, position + 1 - window); at < position; at++)
        {
            value = Mix(value, kept[at], at);
        }

        return Mix(value, own, position);
    }

    /// <summary>A sampler's state (penalties, grammar) after one more token of the answer.</summary>
    public static int Append(int sampler, int id) => Mix(sampler, id, 3);

    /// <summary>Draws a token.</summary>
    /// <param name="value">The last layer's output.</param>
    /// <param name="sampler">The sampler's state.</param>
    /// <param name="salt">0 in an exact class.</param>
    public static int Draw(int value, int sampler, int salt) => (Mix(value, sampler, salt) & 0xfffff) + 1000;

    /// <summary>The value and the sampler's state of which the token after <paramref name="ids"/> is drawn.</summary>
    public static (int Value, int Sampler) Run(ModelSettings settings, ReadOnlySpan<int> ids, int[][]? kept = null)
    {
        var inputs = new int[ids.Length];
        for (var position = 0; position < ids.Length; position++)
        {
            inputs[position] = Embed(ids[position], position);
        }

        for (var layer = 0; layer < settings.Layers; layer++)
        {
            var own = kept?[layer] ?? new int[ids.Length];
            for (var position = 0; position < ids.Length; position++)
            {
                own[position] = Keep(layer, position, inputs[position]);
                inputs[position] = Output(layer, own, position, own[position], settings.Window);
            }
        }

        var sampler = NewSampler;
        foreach (var id in ids[Math.Min(settings.Prompt, ids.Length)..])
        {
            sampler = Append(sampler, id);
        }

        return (inputs[^1], sampler);
    }

    private static int Mix(int a, int b, int c)
    {
        var x = (((ulong)(uint)a << 32) | (uint)b) ^ ((ulong)(uint)c * 0x9e3779b97f4a7c15);
        x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 32)) * 0x94d049bb133111eb;
        return (int)((x ^ (x >> 31)) & 0x7fffffff);
    }
}
