using System.CommandLine;
using Parallax.Hosting;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// NATS on a command line and in the environment: each option has a variable, and the command line wins. Secrets are never
/// on the command line, which every user of a machine can read: they come from a variable or a file.
/// </summary>
public sealed class NatsSettings
{
    private readonly Option<string?> _url = Text("--nats", "PARALLAX_NATS_URL", "nats://HOST:PORT", "NATS servers for telemetry and news, separated by commas. Default: none; the swarm then hears a little later.");
    private readonly Option<string?> _user = Text("--nats-user", "PARALLAX_NATS_USER", "name", "User; the password is in the variable PARALLAX_NATS_PASSWORD or a file.");
    private readonly Option<string?> _passwordFile = Text("--nats-password-file", "PARALLAX_NATS_PASSWORD_FILE", "path", "File that holds the password.");
    private readonly Option<string?> _tokenFile = Text("--nats-token-file", "PARALLAX_NATS_TOKEN_FILE", "path", "File that holds a token, in place of user and password; or the variable PARALLAX_NATS_TOKEN.");
    private readonly Option<string?> _ca = Text("--nats-ca", "PARALLAX_NATS_CA", "path", "PEM file of the authority that signed the server's certificate.");
    private readonly Option<string?> _certificate = Text("--nats-cert", "PARALLAX_NATS_CERT", "path", "PEM file of this member's certificate.");
    private readonly Option<string?> _key = Text("--nats-key", "PARALLAX_NATS_KEY", "path", "PEM file of the certificate's private key.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        ArgumentNullException.ThrowIfNull(command);
        foreach (var option in All)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the command line and the environment say; null when they name no server.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="environment">Reads a variable, e.g. <see cref="Environment.GetEnvironmentVariable(string)"/>.</param>
    /// <exception cref="OptionsException">It cannot be used; the message names all that is wrong.</exception>
    public NatsOptions? Read(ParseResult parsed, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        ArgumentNullException.ThrowIfNull(environment);
        if (Value(_url) is not { Length: > 0 } urls)
        {
            var orphans = All.Where(option => option != _url && parsed.GetValue(option) is { Length: > 0 }).Select(static option => option.Name).ToArray();
            return orphans.Length == 0
                ? null
                : throw new OptionsException([$"{string.Join(", ", orphans)}: name the server as well, with --nats or PARALLAX_NATS_URL."]);
        }

        var errors = new List<string>();
        var options = new NatsOptions
        {
            Servers = [],
            User = Value(_user),
            Password = Secret("PARALLAX_NATS_PASSWORD", _passwordFile),
            Token = Secret("PARALLAX_NATS_TOKEN", _tokenFile),
            CaFile = Value(_ca),
            CertificateFile = Value(_certificate),
            KeyFile = Value(_key),
        };
        options = WithServers(options, urls, errors);
        errors.AddRange(options.Validate());
        OptionsException.ThrowIfAny(errors);
        return options;

        string Value(Option<string?> option) => parsed.GetValue(option) is { Length: > 0 } named ? named : environment(VariableOf(option)) ?? "";

        string Secret(string variable, Option<string?> file)
        {
            var named = parsed.GetValue(file) is { Length: > 0 };
            if (!named && environment(variable) is { Length: > 0 } secret)
            {
                return secret;
            }

            if (Value(file) is not { Length: > 0 } path)
            {
                return "";
            }

            try
            {
                return File.ReadAllText(path).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                errors.Add($"{file.Name}: '{path}' cannot be read: {e.Message}");
                return "";
            }
        }
    }

    private IReadOnlyList<Option<string?>> All => [_url, _user, _passwordFile, _tokenFile, _ca, _certificate, _key];

    // Addresses may carry user:password@ or token@, as NATS's own tools take them.
    private static NatsOptions WithServers(NatsOptions options, string urls, List<string> errors)
    {
        var servers = new List<Uri>();
        var credentials = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in urls.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var address = text.Contains("://", StringComparison.Ordinal) ? text : "nats://" + text;
            if (!Uri.TryCreate(address, UriKind.Absolute, out var uri))
            {
                errors.Add($"--nats: '{text.Split('@')[^1]}' is not an address like nats://127.0.0.1:4222.");
                continue;
            }

            if (uri.UserInfo.Length > 0)
            {
                credentials.Add(uri.UserInfo);
            }

            var plain = new UriBuilder(uri) { UserName = "", Password = "" };
            plain.Port = plain.Port <= 0 ? NatsOptions.DefaultPort : plain.Port;
            servers.Add(plain.Uri);
        }

        options = options with { Servers = servers };
        if (credentials.Count == 0)
        {
            return options;
        }

        if (credentials.Count > 1 || options.User.Length > 0 || options.Password.Length > 0 || options.Token.Length > 0)
        {
            errors.Add("--nats: credentials are named more than once, in addresses or beside them; name them once.");
            return options;
        }

        return credentials.Single().Split(':', 2) is [var user, var password]
            ? options with { User = Uri.UnescapeDataString(user), Password = Uri.UnescapeDataString(password) }
            : options with { Token = Uri.UnescapeDataString(credentials.Single()) };
    }

    private static Option<string?> Text(string name, string variable, string help, string description) =>
        new(name) { Description = $"{description} [{variable}]", HelpName = help };

    // --nats-password-file is PARALLAX_NATS_PASSWORD_FILE.
    private string VariableOf(Option<string?> option) =>
        option == _url ? "PARALLAX_NATS_URL" : "PARALLAX_" + option.Name[2..].Replace('-', '_').ToUpperInvariant();
}
