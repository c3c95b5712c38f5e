using System.Globalization;
using Npgsql;

namespace Parallax.EventStore.Postgres;

/// <summary>
/// Which database a store is in: <c>postgres://user[:password]@host[:port]/database[?name=value&amp;...]</c> or an Npgsql connection
/// string. Names behind the question mark are <c>passwordfile</c>, those of libpq that have one of Npgsql's for them, and Npgsql's own.
/// </summary>
/// <param name="ConnectionString">For Npgsql; without the password when that is in a file.</param>
/// <param name="PasswordFile">The file that holds the password, which is read whenever a connection is opened; null for none.</param>
internal sealed record PostgresAddress(string ConnectionString, string? PasswordFile)
{
    private const string PasswordFileName = "passwordfile";

    private static readonly Dictionary<string, string> NpgsqlNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["passfile"] = "Passfile",
        ["options"] = "Options",
    };

    /// <summary>What may stand in logs and messages: no password.</summary>
    public string Description
    {
        get
        {
            var settings = new NpgsqlConnectionStringBuilder(ConnectionString);
            var user = string.IsNullOrEmpty(settings.Username) ? "" : $"{Uri.EscapeDataString(settings.Username)}@";
            return $"postgres://{user}{settings.Host}:{settings.Port.ToString(CultureInfo.InvariantCulture)}/{settings.Database ?? settings.Username}";
        }
    }

    /// <summary>Whether a text is meant as such an address.</summary>
    public static bool IsMeant(string where) =>
        IsUrl(where) || (where.Contains('=', StringComparison.Ordinal) && (where.Contains(';', StringComparison.Ordinal)
            || where.StartsWith("Host=", StringComparison.OrdinalIgnoreCase) || where.StartsWith("Server=", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Reads an address.</summary>
    /// <exception cref="EventStoreException">It is none; the message does not repeat it, because a password may be in it.</exception>
    public static PostgresAddress Parse(string where)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder();
            var passwordFile = IsUrl(where) ? ReadUrl(where, settings) : ReadSettings(where, settings);
            if (string.IsNullOrEmpty(settings.Host))
            {
                throw Refuse("it names no host");
            }

            if (passwordFile is not null && settings.Password is not null)
            {
                throw Refuse("it has a password and names a file for it; leave one out");
            }

            SetDefaults(settings);
            return new PostgresAddress(settings.ConnectionString, passwordFile);
        }
        catch (Exception problem) when (problem is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            // These messages name the setting, and none repeats a value of another.
            throw Refuse(problem.Message);
        }
    }

    private static bool IsUrl(string where) =>
        where.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || where.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    private static EventStoreException Refuse(string reason) => new(
        $"The event store's address is not right: {reason.TrimEnd('.')}. Write postgres://USER@HOST:PORT/DATABASE?passwordfile=PATH, or an Npgsql connection string.");

    private static string? ReadUrl(string where, NpgsqlConnectionStringBuilder settings)
    {
        if (!Uri.TryCreate(where, UriKind.Absolute, out var url))
        {
            throw Refuse("it is no URL");
        }

        settings.Host = url.IdnHost;
        settings.Port = url.IsDefaultPort || url.Port < 0 ? 5432 : url.Port;
        if (Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')) is { Length: > 0 } database)
        {
            settings.Database = database;
        }

        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
        {
            settings.Username = Uri.UnescapeDataString(user[0]);
        }

        if (user.Length == 2)
        {
            settings.Password = Uri.UnescapeDataString(user[1]);
        }

        string? passwordFile = null;
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var first, var second]
                ? (Uri.UnescapeDataString(first), Uri.UnescapeDataString(second))
                : throw Refuse("behind the question mark there are pairs NAME=VALUE");
            if (name.Equals(PasswordFileName, StringComparison.OrdinalIgnoreCase))
            {
                passwordFile = value;
            }
            else if (name.Equals("sslmode", StringComparison.OrdinalIgnoreCase))
            {
                settings["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal); // verify-full is VerifyFull
            }
            else
            {
                settings[NpgsqlNames.GetValueOrDefault(name, name)] = value;
            }
        }

        return passwordFile;
    }

    private static string? ReadSettings(string where, NpgsqlConnectionStringBuilder settings)
    {
        // Npgsql knows no such name, so it is taken out before.
        var all = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = where };
        string? passwordFile = null;
        foreach (string name in all.Keys)
        {
            if (name.Replace(" ", "", StringComparison.Ordinal).Equals(PasswordFileName, StringComparison.OrdinalIgnoreCase))
            {
                passwordFile = (string)all[name];
            }
            else
            {
                settings[name] = all[name];
            }
        }

        return passwordFile;
    }

    // What the address leaves open. A store needs one connection to append, one to listen, and one per reader at a time.
    private static void SetDefaults(NpgsqlConnectionStringBuilder settings)
    {
        var given = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = settings.ConnectionString };
        SetUnlessGiven("Timeout", 5);
        SetUnlessGiven("Maximum Pool Size", 8);
        SetUnlessGiven("Max Auto Prepare", 16);
        SetUnlessGiven("Auto Prepare Min Usages", 2);
        SetUnlessGiven("Keepalive", 30);
        SetUnlessGiven("Application Name", "parallax");

        void SetUnlessGiven(string name, object value)
        {
            if (!given.ContainsKey(name))
            {
                settings[name] = value;
            }
        }
    }
}
