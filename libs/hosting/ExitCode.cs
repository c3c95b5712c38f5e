namespace Parallax.Hosting;

/// <summary>What a Parallax process returns to its caller.</summary>
public static class ExitCode
{
    /// <summary>Stopped as asked.</summary>
    public const int Ok = 0;

    /// <summary>Failed while running.</summary>
    public const int Failed = 1;

    /// <summary>The command line or an option is invalid.</summary>
    public const int Usage = 2;

    /// <summary>The model cannot be read or is not supported.</summary>
    public const int Model = 3;

    /// <summary>The device asked for is not available.</summary>
    public const int Device = 4;

    /// <summary>The address to listen on cannot be had.</summary>
    public const int Address = 5;
}
