namespace Parallax.ModelFiles.Fetching;

/// <summary>Decides which manifest is believed. Pure.</summary>
internal static class ManifestChoice
{
    /// <summary>
    /// The hash that was named, if anybody has it; without one, the hash that all who answered agree in.
    /// </summary>
    /// <param name="model">The model's name, for messages.</param>
    /// <param name="named">The hash that a plan, a record or an earlier download names; null for none.</param>
    /// <param name="answers">Who has which.</param>
    /// <exception cref="ModelFilesException">Nobody has it, or they disagree.</exception>
    public static string Choose(string model, string? named, IReadOnlyList<(string Peer, string Hash)> answers)
    {
        if (answers.Count == 0)
        {
            throw new ModelFilesException(ModelFilesProblem.NoPeer, $"Nobody who was asked has files of '{model}'.");
        }

        if (named is not null)
        {
            return answers.Any(answer => answer.Hash == named) ? named : throw new ModelFilesException(
                ModelFilesProblem.NoPeer, $"Nobody who was asked has '{model}' with the manifest {Short(named)}; they have {Listed(answers)}.");
        }

        return answers.All(answer => answer.Hash == answers[0].Hash) ? answers[0].Hash : throw new ModelFilesException(
            ModelFilesProblem.Disagreement,
            $"Peers describe the files of '{model}' differently, and no plan says which description to trust: {Listed(answers)}. "
            + "Name the manifest's hash (parallax info --manifest tells it where the model lies), or give the model with --model.");
    }

    private static string Listed(IEnumerable<(string Peer, string Hash)> answers) =>
        string.Join(", ", answers.Select(static answer => $"{Short(answer.Hash)} ({answer.Peer})"));

    private static string Short(string hash) => hash[..Math.Min(12, hash.Length)];
}
