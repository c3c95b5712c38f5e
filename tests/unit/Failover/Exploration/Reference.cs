namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>What a run without failures gives: the tokens of every session, and what every layer keeps of every position.</summary>
internal sealed class Reference
{
    public Reference(ModelSettings settings)
    {
        Ids = new int[settings.Sessions][];
        Kept = new int[settings.Sessions][][];
        for (var session = 0; session < settings.Sessions; session++)
        {
            var ids = new List<int>(PromptOf(settings, session));
            while (ids.Count < settings.Known)
            {
                var (value, sampler) = ToyModel.Run(settings, ids.ToArray());
                ids.Add(ToyModel.Draw(value, sampler, salt: 0));
            }

            Ids[session] = [.. ids];
            Kept[session] = KeptOf(settings, Ids[session]);
        }
    }

    /// <summary>By session: ids of prompt and answer.</summary>
    public int[][] Ids { get; }

    /// <summary>By session, layer and position.</summary>
    public int[][][] Kept { get; }

    public static int[] PromptOf(ModelSettings settings, int session) =>
        [.. Enumerable.Range(0, settings.Prompt).Select(i => 10 + (session * 100) + i)];

    /// <summary>What every layer keeps of every position of <paramref name="ids"/>.</summary>
    public static int[][] KeptOf(ModelSettings settings, ReadOnlySpan<int> ids)
    {
        var kept = new int[settings.Layers][];
        for (var layer = 0; layer < kept.Length; layer++)
        {
            kept[layer] = new int[ids.Length];
        }

        ToyModel.Run(settings, ids, kept);
        return kept;
    }

    /// <summary>Whether the last token of an answer is one that the tokens before it can give: in an exact class there is one such.</summary>
    public bool Follows(ModelSettings settings, int session, ReadOnlySpan<int> answer)
    {
        if (!settings.Inexact)
        {
            return Ids[session][settings.Prompt + answer.Length - 1] == answer[^1];
        }

        var ids = (int[])[.. PromptOf(settings, session), .. answer];
        var (value, sampler) = ToyModel.Run(settings, ids.AsSpan(0, ids.Length - 1));
        for (var salt = 0; salt < 200; salt++)
        {
            if (ToyModel.Draw(value, sampler, salt) == answer[^1])
            {
                return true;
            }
        }

        return false;
    }
}
