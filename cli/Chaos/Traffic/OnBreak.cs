namespace Parallax.Cli.Chaos.Traffic;

/// <summary>What a client does whose stream breaks off.</summary>
internal enum OnBreak
{
    /// <summary>Asks a router for the rest (Last-Event-ID) when the connection broke; an answer that failed is lost.</summary>
    Resume,

    /// <summary>Asks again from the beginning, whatever happened: what clients do where nothing takes over.</summary>
    Restart,
}
