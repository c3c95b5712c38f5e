using System.CommandLine;

namespace Parallax.Cli;

/// <summary>Options that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string?> Model() => new("--model", "-m")
    {
        Description = "A .gguf file, or a folder with config.json, safetensors and tokenizer files. Default: the bundled demo model.",
        HelpName = "path",
    };

    public static Option<int?> Threads() => new("--threads", "-t")
    {
        Description = "Compute threads. Default: one per core.",
        HelpName = "count",
    };

    public static Option<string> Residual()
    {
        var option = new Option<string>("--residual")
        {
            Description = "Precision of the stream between layers and of the KV cache; f32 doubles the cache. Answers are reproducible within one of them.",
            DefaultValueFactory = static _ => "bf16",
            HelpName = "bf16|f32",
        };
        option.AcceptOnlyFromAmong("bf16", "f32");
        return option;
    }
}
