using System.CommandLine;
using System.Globalization;
using Parallax.Audit.Index;
using Parallax.Cli.Tokens;

namespace Parallax.Cli.Audit;

/// <summary>Which requests, as options.</summary>
internal sealed class FilterOptions
{
    private readonly Option<DateTimeOffset?> _since = Time("--since", "Taken up at this time or later: 2030-01-31, 2030-01-31T12:00Z, or how long ago: 24h, 7d.");
    private readonly Option<DateTimeOffset?> _until = Time("--until", "Taken up before this time.");
    private readonly Option<string?> _model = new("--model") { Description = "The model's name.", HelpName = "name" };
    private readonly Option<string?> _client = new("--client") { Description = "The client, as the router tells clients apart.", HelpName = "client" };
    private readonly Option<string?> _key = new("--key") { Description = "The API key's id.", HelpName = "id" };
    private readonly Option<string?> _status = new("--status") { Description = "How it stands.", HelpName = string.Join('|', RequestStatuses.All) };
    private readonly Option<string?> _worker = new("--worker") { Description = "A worker that had a part in it.", HelpName = "id" };

    public FilterOptions() => _status.AcceptOnlyFromAmong([.. RequestStatuses.All]);

    public void AddTo(Command command, bool timesOnly = false)
    {
        foreach (var option in timesOnly ? [_since, _until] : new Option[] { _since, _until, _model, _client, _key, _status, _worker })
        {
            command.Options.Add(option);
        }
    }

    public RequestFilter Read(ParseResult parsed) => new()
    {
        Since = parsed.GetValue(_since),
        Until = parsed.GetValue(_until),
        Model = parsed.GetValue(_model),
        Client = parsed.GetValue(_client),
        Key = parsed.GetValue(_key),
        Status = RequestStatuses.TryParse(parsed.GetValue(_status), out var status) ? status : null,
        Worker = parsed.GetValue(_worker),
    };

    public (DateTimeOffset? Since, DateTimeOffset? Until) ReadTimes(ParseResult parsed) => (parsed.GetValue(_since), parsed.GetValue(_until));

    /// <summary>A time, or how long ago; null where it is neither.</summary>
    internal static DateTimeOffset? ParseTime(string text, DateTimeOffset now) =>
        Lifetime.Parse(text) is { } ago ? now - ago
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : null;

    private static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "time",
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            var time = ParseTime(text, TimeProvider.System.GetUtcNow());
            if (time is null)
            {
                result.AddError($"{name}: '{text}' is no time like 2030-01-31, 2030-01-31T12:00Z, 24h or 7d.");
            }

            return time;
        },
    };
}
