using System.Text;

namespace Parallax.Testing.Servers;

/// <summary>What a nats-server under test demands of its clients.</summary>
public sealed record NatsServerConfig
{
    /// <summary>A user and a password; null for none.</summary>
    public (string Name, string Password)? User { get; init; }

    /// <summary>A token in their place; null for none.</summary>
    public string? Token { get; init; }

    /// <summary>The authority of the server's certificate; null for no TLS.</summary>
    public TestAuthority? Authority { get; init; }

    /// <summary>Whether clients must show a certificate of the same authority.</summary>
    public bool WantsCertificate { get; init; }

    /// <summary>Bytes of a message at most.</summary>
    public int MaxPayload { get; init; } = 1024 * 1024;

    internal string Write(int port, string folder)
    {
        var text = new StringBuilder($"listen: \"127.0.0.1:{port}\"\nmax_payload: {MaxPayload}\n");
        if (User is var (name, password))
        {
            text.Append($"authorization {{ user: \"{name}\", password: \"{password}\" }}\n");
        }
        else if (Token is not null)
        {
            text.Append($"authorization {{ token: \"{Token}\" }}\n");
        }

        if (Authority is not null)
        {
            var (certificate, key) = Authority.Issue("server", folder);
            text.Append($"tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", ca_file: \"{Authority.WriteTo(folder)}\", verify: {(WantsCertificate ? "true" : "false")}, timeout: 5 }}\n");
        }

        return text.ToString();
    }
}
