using Parallax.Hosting;

namespace Parallax.Cli.Swarm;

/// <summary>A model that <c>parallax run</c> deployed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsCut">Whether its layers were pinned to the workers of that process.</param>
internal sealed record FoundersModel(string Name, bool IsCut);

/// <summary>
/// What the runs of a founder have deployed, kept in its state folder: a run with another model retires what earlier ones
/// asked for, and nothing that operators did. One file, replaced whole.
/// </summary>
/// <param name="folder">The state folder.</param>
internal sealed class FoundersModels(string folder)
{
    private const string Cut = "cut";
    private const string Whole = "whole";

    private readonly string _path = Path.Combine(folder, "deployed");

    /// <summary>The models; none before the first run.</summary>
    /// <exception cref="OptionsException">The file is damaged.</exception>
    public IReadOnlyList<FoundersModel> Read() =>
        File.Exists(_path) ? [.. File.ReadAllLines(_path).Select(Parse)] : [];

    /// <summary>Keeps these instead.</summary>
    public void Write(IEnumerable<FoundersModel> models)
    {
        var next = _path + ".new";
        File.WriteAllLines(next, models.Select(static model => $"{(model.IsCut ? Cut : Whole)} {model.Name}"));
        File.Move(next, _path, overwrite: true);
    }

    private FoundersModel Parse(string line) => line.Split(' ', 2) is [Cut or Whole, { Length: > 0 }] and [var kind, var name]
        ? new FoundersModel(name, kind == Cut)
        : throw new OptionsException([$"'{_path}' is damaged at '{line}'; delete it, and retire what earlier runs deployed with 'parallax swarm retire'."]);
}
