using System.Net;

namespace Parallax.Bus;

/// <summary>Which bus, and how to reach it.</summary>
public sealed record BusOptions
{
    private const int PlainPort = 5672;
    private const int TlsPort = 5671;

    private BusOptions()
    {
    }

    /// <summary>The bus of this process, which is lost with it.</summary>
    public static BusOptions Memory { get; } = new();

    /// <summary>Whether it is the bus of this process.</summary>
    public bool IsMemory => Host.Length == 0;

    /// <summary>The broker's host; empty for the bus of this process.</summary>
    public string Host { get; private init; } = "";

    /// <summary>Its port.</summary>
    public int Port { get; private init; }

    /// <summary>The virtual host.</summary>
    public string VirtualHost { get; private init; } = "/";

    /// <summary>The user.</summary>
    public string User { get; private init; } = "guest";

    /// <summary>The file whose first line is the password; null: the password is <c>guest</c>, which a broker takes from loopback only.</summary>
    public string? PasswordFile { get; private init; }

    /// <summary>Whether the connection is TLS.</summary>
    public bool UsesTls { get; private init; }

    /// <summary>The authorities that may have issued the broker's certificate, a PEM file; null: the machine's.</summary>
    public string? AuthorityFile { get; private init; }

    /// <summary>The certificate that a broker gets to see, a PEM file; null: none.</summary>
    public string? CertificateFile { get; private init; }

    /// <summary>Its key, a PEM file.</summary>
    public string? KeyFile { get; private init; }

    /// <summary>Reads <c>memory</c> or <c>rabbitmq[s]://user@host[:port]/vhost?passwordfile=…</c>; see docs/bus.md.</summary>
    /// <exception cref="BusException">It is neither; says what is wrong.</exception>
    public static BusOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "memory")
        {
            return Memory;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("rabbitmq" or "rabbitmqs") || address.Host.Length == 0)
        {
            throw Wrong("It is neither 'memory' nor an address.");
        }

        if (address.UserInfo.Contains(':', StringComparison.Ordinal))
        {
            throw Wrong("A password does not belong into an address, which others can see: put it into a file and name that with passwordfile=.");
        }

        var path = address.AbsolutePath.TrimStart('/');
        if (path.Contains('/', StringComparison.Ordinal))
        {
            throw Wrong("A virtual host's name is one part of a path; write a slash in it as %2F.");
        }

        var isTls = address.Scheme == "rabbitmqs";
        var parameters = Parameters(address.Query);
        if (!isTls && (parameters.ContainsKey("cafile") || parameters.ContainsKey("certfile") || parameters.ContainsKey("keyfile")))
        {
            throw Wrong("cafile, certfile and keyfile are for TLS: use rabbitmqs://.");
        }

        if (parameters.ContainsKey("certfile") != parameters.ContainsKey("keyfile"))
        {
            throw Wrong("certfile and keyfile go together.");
        }

        return new BusOptions
        {
            Host = address.IdnHost,
            Port = address.Port > 0 ? address.Port : isTls ? TlsPort : PlainPort,
            VirtualHost = path.Length == 0 ? "/" : WebUtility.UrlDecode(path),
            User = address.UserInfo.Length == 0 ? "guest" : Uri.UnescapeDataString(address.UserInfo),
            UsesTls = isTls,
            PasswordFile = parameters.GetValueOrDefault("passwordfile"),
            AuthorityFile = parameters.GetValueOrDefault("cafile"),
            CertificateFile = parameters.GetValueOrDefault("certfile"),
            KeyFile = parameters.GetValueOrDefault("keyfile"),
        };
    }

    /// <summary>The same as <see cref="Parse"/> reads it, for people: no secret is in it.</summary>
    public override string ToString() =>
        IsMemory ? "memory" : $"{(UsesTls ? "rabbitmqs" : "rabbitmq")}://{User}@{Host}:{Port}/{(VirtualHost == "/" ? "" : Uri.EscapeDataString(VirtualHost))}";

    /// <summary>The password, read anew each time.</summary>
    /// <exception cref="BusException">The file cannot be read.</exception>
    internal string ReadPassword()
    {
        if (PasswordFile is not { } path)
        {
            return "guest";
        }

        try
        {
            return File.ReadLines(path).FirstOrDefault() is { Length: > 0 } line
                ? line
                : throw new BusException($"--bus: the password file {path} is empty; its first line is the password.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BusException($"--bus: the password file {path} cannot be read: {e.Message}", e);
        }
    }

    private static Dictionary<string, string> Parameters(string query)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = part.Split('=', 2) is [var key, { Length: > 0 }] ? key : throw Wrong($"'{part}' has no value.");
            if (name is not ("passwordfile" or "cafile" or "certfile" or "keyfile"))
            {
                throw Wrong($"'{name}' is unknown; known are passwordfile, cafile, certfile and keyfile.");
            }

            if (!found.TryAdd(name, Uri.UnescapeDataString(part[(name.Length + 1)..])))
            {
                throw Wrong($"'{name}' is there twice.");
            }
        }

        return found;
    }

    // The text itself is not repeated: it may have the password that does not belong there.
    private static BusException Wrong(string problem) =>
        new($"--bus: {problem} Use 'memory' or e.g. rabbitmq://router@rabbitmq/parallax?passwordfile=/run/secrets/rabbitmq-router.");
}
