namespace Parallax.ModelFiles;

/// <summary>Why a model's files cannot be had.</summary>
public enum ModelFilesProblem
{
    /// <summary>Nobody who was asked has what is missing.</summary>
    NoPeer,

    /// <summary>Those who had it are gone or were given up; what has arrived is kept.</summary>
    PeersGone,

    /// <summary>Peers describe the model differently and nobody said which description is meant.</summary>
    Disagreement,

    /// <summary>The disk is full, or cannot be written.</summary>
    Disk,

    /// <summary>A manifest is malformed or too large.</summary>
    Malformed,

    /// <summary>All files came as the manifest says, and they are another model.</summary>
    Mismatch,

    /// <summary>A model's or file's name cannot be used.</summary>
    Name,

    /// <summary>The hub refused, or sent something else than it announced.</summary>
    Hub,
}
