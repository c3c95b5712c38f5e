using System.CommandLine;
using System.Net;
using Parallax.Hosting;

namespace Parallax.Router.Access;

/// <summary>The options of access on a command line.</summary>
public sealed class AccessOptionSet
{
    private readonly Option<string?> _auth = new("--auth")
    {
        Description = "Whether the API needs keys: 'keys' ('parallax key create' makes them) or 'none'. Default: none where it listens on loopback, else keys.",
        HelpName = "keys|none",
    };

    private readonly Option<string?> _keyStore = new("--key-store") { Description = "With '--audit off': the event store of the API keys, a file, or postgres://user@host/database. Else they are in --audit-store.", HelpName = "store" };
    private readonly Option<string?> _admin = new("--admin-listen") { Description = "Where /metrics, /audit and /admin are served, apart from the API. Default: with the API where that listens on loopback, else nowhere.", HelpName = "ip:port" };
    private readonly Option<string?> _certificate = new("--tls-cert") { Description = "Serve HTTPS (HTTP/1.1 and HTTP/2) with this certificate: PEM, its chain behind it. Read again when it changes.", HelpName = "file" };
    private readonly Option<string?> _key = new("--tls-key") { Description = "The certificate's private key, PEM, not encrypted.", HelpName = "file" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        ArgumentNullException.ThrowIfNull(command);
        foreach (var option in (Option[])[_auth, _keyStore, _admin, _certificate, _key])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="OptionsException">It cannot be used.</exception>
    public RouterAccess Read(ParseResult parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        List<string> errors = [];
        bool? needsKeys = parsed.GetValue(_auth) switch
        {
            null => null,
            "keys" => true,
            "none" => false,
            var other => Wrong<bool?>($"--auth: '{other}' is not known; use keys or none."),
        };
        var admin = parsed.GetValue(_admin) switch
        {
            null => null,
            var text when HasPort(text) && IPEndPoint.TryParse(text, out var read) => read,
            var other => Wrong<IPEndPoint?>($"--admin-listen: '{other}' is no address; use IP:PORT, e.g. 127.0.0.1:9100."),
        };
        OptionsException.ThrowIfAny(errors);
        return new RouterAccess
        {
            NeedsKeys = needsKeys,
            KeyStore = parsed.GetValue(_keyStore),
            AdminListen = admin,
            TlsCertificate = parsed.GetValue(_certificate),
            TlsKey = parsed.GetValue(_key),
        };

        T? Wrong<T>(string error)
        {
            errors.Add(error);
            return default;
        }
    }

    // The colons of an IPv6 address without brackets are no port's.
    private static bool HasPort(string text) => text.StartsWith('[') ? text.LastIndexOf(':') > text.LastIndexOf(']') : text.Count(static c => c == ':') == 1;
}
