using System.CommandLine;
using System.Globalization;
using Parallax.Cli.Tokens;
using Parallax.Hosting;
using Parallax.Router.Access.Keys;

namespace Parallax.Cli.Keys;

/// <summary>What can be chosen for a key, as options.</summary>
internal sealed class KeyOptionSet
{
    private const string None = "none";

    private readonly Option<string?> _name;
    private readonly Option<string[]> _scope;
    private readonly Option<string?> _requests;
    private readonly Option<string?> _tokens;
    private readonly Option<string?> _expires;

    /// <param name="isNew">Whether it is for a new key, which needs a name.</param>
    public KeyOptionSet(bool isNew)
    {
        _name = new Option<string?>("--name") { Description = "What people call it.", HelpName = "name", Required = isNew };
        _scope = new Option<string[]>("--scope") { Description = $"What it is good for: {string.Join(", ", KeyScopeText.Words)}; may be repeated.{(isNew ? " Default: chat." : "")}", HelpName = "scope", DefaultValueFactory = static _ => [] };
        _requests = new Option<string?>("--requests-per-minute") { Description = $"Requests in any minute{Unlimited(isNew)}", HelpName = "count" };
        _tokens = new Option<string?>("--tokens-per-day") { Description = $"Tokens of prompts and answers in a day (UTC){Unlimited(isNew)}", HelpName = "count" };
        _expires = new Option<string?>("--expires") { Description = $"How long it is good for, e.g. 12h, 90d{(isNew ? ". Default: always." : "; 'none': always.")}", HelpName = "time" };
    }

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_name, _scope, _requests, _tokens, _expires])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Settings with what was asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="present">What stays where nothing was asked for.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="OptionsException">It cannot be used; lists everything that is wrong.</exception>
    public KeySettings Read(ParseResult parsed, KeySettings present, DateTimeOffset now)
    {
        List<string> errors = [];
        var words = parsed.GetValue(_scope)!.SelectMany(static one => one.Split(',')).ToArray();
        errors.AddRange(words.Where(static word => KeyScopeText.Parse(word) == KeyScope.None)
            .Select(static word => $"--scope: '{word}' is unknown; use {string.Join(", ", KeyScopeText.Words)}."));
        var settings = present with
        {
            Name = parsed.GetValue(_name) ?? present.Name,
            Scopes = words.Length > 0 ? KeyScopeText.Parse(words) : present.Scopes,
            RequestsPerMinute = (int?)Count(_requests, present.RequestsPerMinute, KeySettings.MostRequestsPerMinute),
            TokensPerDay = Count(_tokens, present.TokensPerDay, KeySettings.MostTokensPerDay),
            Expires = Time(),
        };
        if (errors.Count == 0)
        {
            errors.AddRange(settings.Validate(now));
        }

        OptionsException.ThrowIfAny(errors);
        return settings;

        long? Count(Option<string?> option, long? otherwise, long most)
        {
            var text = parsed.GetValue(option);
            if (text is null or None)
            {
                return text is null ? otherwise : null;
            }

            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1 || count > most)
            {
                errors.Add($"{option.Name}: '{text}' is out of range; use 1 to {most}, or '{None}' for no limit.");
                return null;
            }

            return count;
        }

        DateTimeOffset? Time()
        {
            var text = parsed.GetValue(_expires);
            if (text is null or None)
            {
                return text is null ? present.Expires : null;
            }

            if (Lifetime.Parse(text) is not { } time)
            {
                errors.Add($"--expires: '{text}' is no time; use a number and s, m, h or d, e.g. 90d, or '{None}'.");
                return null;
            }

            return now + time;
        }
    }

    private static string Unlimited(bool isNew) => isNew ? ". Default: unlimited." : "; 'none': unlimited.";
}
