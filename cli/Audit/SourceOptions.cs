using System.CommandLine;

namespace Parallax.Cli.Audit;

/// <summary>Where the audit is read, as options of all its commands.</summary>
internal sealed class SourceOptions
{
    public Option<string?> Store { get; } = new("--store")
    {
        Description = "The event store: a file, or postgres://... Default: that of parallax run on this machine.",
        HelpName = "location",
        Recursive = true,
    };

    public Option<string?> Index { get; } = new("--index")
    {
        Description = "The index's file, made when it is not there. Default: beside the store's file.",
        HelpName = "file",
        Recursive = true,
    };

    public Option<Uri?> Url { get; } = new("--url")
    {
        Description = "Ask a router, http://HOST:PORT, in place of a store.",
        HelpName = "url",
        Recursive = true,
        CustomParser = static result =>
        {
            if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                return url;
            }

            result.AddError($"--url: '{result.Tokens.Single().Value}' is no address like http://127.0.0.1:8000.");
            return null;
        },
    };

    public Option<string?> ApiKey { get; } = new("--api-key")
    {
        Description = "The API key for --url. Default: PARALLAX_API_KEY, where other users of the machine do not see it.",
        HelpName = "key",
        Recursive = true,
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Store);
        command.Options.Add(Index);
        command.Options.Add(Url);
        command.Options.Add(ApiKey);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Url) is not null && (result.GetResult(Store) is not null || result.GetResult(Index) is not null))
            {
                result.AddError("--url stands in place of --store and --index.");
            }
        });
    }

    public IAuditSource Open(ParseResult parsed) => parsed.GetValue(Url) is { } url
        ? new HttpSource(url, parsed.GetValue(ApiKey) ?? Environment.GetEnvironmentVariable("PARALLAX_API_KEY"))
        : OpenStore(parsed);

    /// <summary>For commands that need the store itself.</summary>
    /// <exception cref="AuditCommandException">A router is named, or there is no store.</exception>
    public StoreSource OpenStore(ParseResult parsed) => parsed.GetValue(Url) is null
        ? StoreSource.Open(parsed.GetValue(Store), parsed.GetValue(Index))
        : throw new AuditCommandException("This command needs the event store itself: name it with --store in place of --url.");
}
