using Parallax.Runtime.Weights;

namespace Parallax.Cli;

/// <summary>Which model a command uses.</summary>
internal static class ModelLocation
{
    private static readonly string DemoFolder = Path.Combine("models", "demo");

    /// <summary>The named model, or the bundled demo model when none is named.</summary>
    /// <exception cref="ModelFormatException">There is no such model.</exception>
    public static string Resolve(string? named) => Resolve(named, AppContext.BaseDirectory);

    /// <summary>
    /// The demo model is the nearest models/demo above the program: in a published program its own folder, in a source
    /// tree the repository's root.
    /// </summary>
    internal static string Resolve(string? named, string programFolder)
    {
        if (named is not null)
        {
            return Path.Exists(named)
                ? named
                : throw new ModelFormatException(named, "no such file or folder; --model takes a .gguf file, or a folder with config.json, safetensors and tokenizer files");
        }

        for (var folder = new DirectoryInfo(programFolder); folder is not null; folder = folder.Parent)
        {
            var demo = Path.Combine(folder.FullName, DemoFolder);
            if (File.Exists(Path.Combine(demo, "config.json")))
            {
                return demo;
            }
        }

        throw new ModelFormatException(
            Path.Combine(programFolder, DemoFolder), "the bundled demo model is missing; name a model with --model PATH");
    }
}
