using Parallax.Hosting;

namespace Parallax.Swarm.Telemetry;

/// <summary>How a swarm's NATS is reached. Shows no secrets when printed.</summary>
public sealed record NatsOptions
{
    /// <summary>The port of servers whose address names none.</summary>
    public const int DefaultPort = 4222;

    /// <summary>
    /// The servers' addresses, <c>nats://host:port</c>, or <c>tls://host:port</c> where TLS is required; tried in turn. They
    /// hold no user or password: those go into the properties below (<see cref="NatsSettings"/> takes them apart).
    /// </summary>
    public required IReadOnlyList<Uri> Servers { get; init; }

    /// <summary>The user, with <see cref="Password"/>; empty for none.</summary>
    public string User { get; init; } = "";

    /// <summary>The user's password.</summary>
    public string Password { get; init; } = "";

    /// <summary>A token in place of user and password; empty for none.</summary>
    public string Token { get; init; } = "";

    /// <summary>PEM file of the authorities whose servers are believed; empty for the machine's. Naming one requires TLS.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>PEM file of this member's certificate; empty for none. Naming one requires TLS.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>PEM file of the certificate's private key.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>How often a member's record is told, give or take a tenth.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may take to come about.</summary>
    public TimeSpan ConnectTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the server is asked whether it is there. One that leaves two such questions unanswered is lost.</summary>
    public TimeSpan PingPeriod { get; init; } = TimeSpan.FromSeconds(0.4);

    /// <summary>The wait before connecting anew after a loss; doubles with each failure.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(0.1);

    /// <summary>The longest wait between attempts to connect to a server that is not there.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The wait after a server has refused this member.</summary>
    public TimeSpan RefusedRetry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long closing waits for what was published last, a farewell for instance, to reach the server.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Messages that have arrived and wait to be read at most, each of <see cref="NewsLimits.MaxEnvelopeBytes"/> at most.</summary>
    public int QueueCapacity { get; init; } = 1024;

    internal bool RequiresTls(Uri server) => server.Scheme == "tls" || CaFile.Length > 0 || CertificateFile.Length > 0;

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Require(Servers.Count > 0, "--nats: name at least one server, e.g. nats://127.0.0.1:4222.");
        errors.AddRange(Servers
            .Where(static server => !IsAddress(server))
            .Select(static server => $"--nats: '{Shown(server)}' is not an address like nats://127.0.0.1:4222 or tls://nats.example.org:4222."));
        Require(
            (User.Length == 0) == (Password.Length == 0),
            "--nats-user: a user and its password go together (PARALLAX_NATS_USER and PARALLAX_NATS_PASSWORD, or --nats-password-file).");
        Require(Token.Length == 0 || User.Length == 0, "--nats-token-file: use a token, or a user and a password, not both.");
        Require(
            (CertificateFile.Length == 0) == (KeyFile.Length == 0),
            "--nats-cert: a certificate and its key go together (--nats-cert and --nats-key).");
        RequireFile("--nats-ca", CaFile);
        RequireFile("--nats-cert", CertificateFile);
        RequireFile("--nats-key", KeyFile);
        Require(Period > TimeSpan.Zero, "Period must be more than 0 s.");
        Require(ConnectTime > TimeSpan.Zero, "ConnectTime must be more than 0 s.");
        Require(PingPeriod > TimeSpan.Zero, "PingPeriod must be more than 0 s.");
        Require(FirstRetry > TimeSpan.Zero && LongestRetry >= FirstRetry, "FirstRetry must be more than 0 s and at most LongestRetry.");
        Require(RefusedRetry > TimeSpan.Zero, "RefusedRetry must be more than 0 s.");
        Require(DrainTime >= TimeSpan.Zero, "DrainTime must be at least 0 s.");
        Require(QueueCapacity >= 1, "QueueCapacity must be at least 1.");
        return errors;

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }

        void RequireFile(string option, string path) => Require(path.Length == 0 || File.Exists(path), $"{option}: there is no file '{path}'.");
    }

    /// <exception cref="OptionsException">They cannot be used.</exception>
    public void ThrowIfInvalid() => OptionsException.ThrowIfAny(Validate());

    /// <summary>Where and as whom; no secrets.</summary>
    public override string ToString()
    {
        var who = Token.Length > 0 ? "a token" : User.Length > 0 ? $"user {User}" : CertificateFile.Length > 0 ? "a certificate" : "no credentials";
        return $"{string.Join(", ", Servers.Select(Shown))} with {who}";
    }

    private static bool IsAddress(Uri server) =>
        server is { IsAbsoluteUri: true, Scheme: "nats" or "tls", UserInfo: "", AbsolutePath: "" or "/", Query: "", Fragment: "" } && server.Host.Length > 0;

    // An address that was written wrongly may hold a password.
    private static string Shown(Uri server) => server.OriginalString.Split('@')[^1];
}
