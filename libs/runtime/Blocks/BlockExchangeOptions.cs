namespace Parallax.Runtime.Blocks;

/// <summary>How an engine uses an exchange of KV blocks.</summary>
public sealed record BlockExchangeOptions
{
    /// <summary>The exchange. It outlives the engine.</summary>
    public required IBlockExchange Exchange { get; init; }

    /// <summary>Bytes per second that filled blocks are copied out at, at most. Default 64 MiB/s; 0: none are.</summary>
    public long WriteBytesPerSecond { get; init; } = 64L << 20;

    /// <summary>
    /// The part of a step's time that copying may take after it, while sessions run. Default 0.01: no token is later by more
    /// than 1 %. A drain takes <see cref="DrainShare"/>.
    /// </summary>
    public double WriteShare { get; init; } = 0.01;

    /// <summary>As <see cref="WriteShare"/>, while all blocks are being handed over before the worker leaves. Default 0.25.</summary>
    public double DrainShare { get; init; } = 0.25;

    /// <summary>Filled blocks that may wait to be copied; the oldest of more are left out. Default 1024.</summary>
    public int PendingBlocks { get; init; } = 1024;

    /// <summary>
    /// How long an Open may wait for blocks at most; what has come by then has to do. Default 1 s, half of what a router
    /// waits for an acknowledgement. 0: nothing is restored.
    /// </summary>
    public TimeSpan RestoreTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Blocks of one session that may have come and wait to be copied in, and blocks copied in between two steps. Default 8.</summary>
    public int RestoreWindow { get; init; } = 8;

    /// <summary>Sessions that blocks are fetched for at once; more do without. Default 32.</summary>
    public int MaxRestores { get; init; } = 32;

    /// <summary>Adds what makes no sense to <paramref name="errors"/>.</summary>
    internal void Validate(List<string> errors)
    {
        Require(Exchange is not null, "Blocks.Exchange is missing");
        Require(WriteBytesPerSecond >= 0, $"Blocks.WriteBytesPerSecond is {WriteBytesPerSecond}: not below 0");
        Require(WriteShare is > 0 and <= 1, $"Blocks.WriteShare is {WriteShare}: above 0, at most 1");
        Require(DrainShare is > 0 and <= 1, $"Blocks.DrainShare is {DrainShare}: above 0, at most 1");
        Require(PendingBlocks >= 1, $"Blocks.PendingBlocks is {PendingBlocks}: at least 1");
        Require(RestoreTime >= TimeSpan.Zero, $"Blocks.RestoreTime is {RestoreTime}: not below zero");
        Require(MaxRestores >= 1, $"Blocks.MaxRestores is {MaxRestores}: at least 1");
        Require(RestoreWindow >= 1, $"Blocks.RestoreWindow is {RestoreWindow}: at least 1");

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }
}
