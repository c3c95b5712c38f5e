namespace Parallax.Contracts.Messages;

/// <summary>The kinds of commands, named like the calls of scheduler.proto.</summary>
public static class CommandKinds
{
    /// <summary>A <see cref="V1.DeployRequest"/>.</summary>
    public const string Deploy = "deploy";

    /// <summary>A <see cref="V1.RetireRequest"/>.</summary>
    public const string Retire = "retire";

    /// <summary>A <see cref="V1.WorkerRequest"/>.</summary>
    public const string Drain = "drain";

    /// <summary>A <see cref="V1.WorkerRequest"/>.</summary>
    public const string Remove = "remove";

    /// <summary>A <see cref="V1.PinRequest"/>.</summary>
    public const string Pin = "pin";

    /// <summary>An <see cref="V1.UnpinRequest"/>.</summary>
    public const string Unpin = "unpin";

    /// <summary>A <see cref="V1.RebalanceRequest"/>.</summary>
    public const string Rebalance = "rebalance";
}
