namespace Parallax.Swarm.Telemetry;

/// <summary>Why a message was refused before anybody verified it.</summary>
public enum NewsRefusal
{
    /// <summary>Empty or too long.</summary>
    Size,

    /// <summary>It is no signed record, its subject names no worker of this swarm, or it has headers, which no member sends.</summary>
    Form,

    /// <summary>Its publisher is not the worker that the subject names.</summary>
    Foreign,
}
