namespace Parallax.ModelFiles.Manifests;

/// <summary>How a model lies on disk.</summary>
public enum ModelLayout
{
    /// <summary>A folder with config.json, safetensors and tokenizer files.</summary>
    Folder,

    /// <summary>One .gguf file.</summary>
    Gguf,
}
