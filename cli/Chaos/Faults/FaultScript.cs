using System.Globalization;
using Parallax.Hosting;

namespace Parallax.Cli.Chaos.Faults;

/// <summary>
/// Faults written down by hand, one a line: <c>at SECONDS KIND VICTIM ...</c>. Pure.
/// </summary>
/// <remarks>
/// <code>
/// at 1    kill middle                  # also: kill tail restart 5s | kill head restart never
/// at 2.5  pause tail 2s
/// at 5    slow head 3s 80%             # stands still for 80 % of the time
/// at 6    drop head next               # resets the connections between the two
/// at 7    corrupt middle tail 5        # a bit in each of the next 5 chunks
/// at 8    partition head tail 1s out   # both (default), out, back
/// </code>
/// Victims: head, middle, tail, spare, router, random, or a worker's id; the second of two also next.
/// </remarks>
internal static class FaultScript
{
    private static readonly TimeSpan LongestTime = TimeSpan.FromHours(24);

    /// <summary>Reads a script; faults come in order of time.</summary>
    /// <param name="text">Its lines.</param>
    /// <param name="name">What error messages call it.</param>
    /// <param name="ids">Ids of the workers.</param>
    /// <param name="stages">Stages of the ring.</param>
    /// <exception cref="OptionsException">Lines that cannot be understood, each by its number.</exception>
    public static IReadOnlyList<Fault> Parse(string text, string name, IReadOnlyCollection<string> ids, int stages)
    {
        var faults = new List<Fault>();
        var errors = new List<string>();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var words = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                continue;
            }

            try
            {
                // The same script hits the same workers, line by line.
                faults.Add(Line(words, ids, stages) with { Draw = (ulong)number * 0x9E3779B97F4A7C15 });
            }
            catch (FormatException e)
            {
                errors.Add($"{name}, line {number}: {e.Message}");
            }
        }

        if (faults.Count == 0 && errors.Count == 0)
        {
            errors.Add($"{name}: the script names no fault; write lines like 'at 1 kill middle'.");
        }

        OptionsException.ThrowIfAny(errors);
        return [.. faults.OrderBy(static fault => fault.At)];
    }

    /// <summary>A time like 2s, 500ms or 1.5; null for anything else.</summary>
    public static TimeSpan? ParseTime(string word)
    {
        var (number, unit) = word.EndsWith("ms", StringComparison.Ordinal) ? (word[..^2], 0.001)
            : word.EndsWith('s') ? (word[..^1], 1.0)
            : (word, 1.0);
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value * unit <= LongestTime.TotalSeconds
                ? TimeSpan.FromSeconds(value * unit)
                : null;
    }

    private static Fault Line(string[] words, IReadOnlyCollection<string> ids, int stages)
    {
        if (words is not ["at", var time, var what, var whom, .. var rest])
        {
            throw new FormatException($"'{string.Join(' ', words)}' is no fault; write 'at SECONDS KIND VICTIM ...'.");
        }

        var at = ParseTime(time) ?? throw new FormatException($"'{time}' is no time; use seconds like 2.5.");
        var kind = Names.Parse<FaultKind>(what)
            ?? throw new FormatException($"'{what}' is no fault; use kill, pause, slow, drop, corrupt or partition.");
        var fault = new Fault(at, kind, ParseVictim(whom, ids, stages, isSecond: false));
        return kind switch
        {
            FaultKind.Kill => Kill(fault, rest),
            FaultKind.Pause => rest is [var duration] ? fault with { Duration = Time(duration) } : throw new FormatException("a pause needs its time: 'pause VICTIM 2s'."),
            FaultKind.Slow => Slow(fault, rest),
            FaultKind.Drop => rest is [var other] ? Between(fault, other, ids, stages) : throw new FormatException("a drop lies between two workers: 'drop head next'."),
            FaultKind.Corrupt => Corrupt(fault, rest, ids, stages),
            _ => Partition(fault, rest, ids, stages),
        };
    }

    private static Fault Kill(Fault fault, string[] rest) => rest switch
    {
        [] => fault,
        ["restart", "never"] => fault with { NeverRestarts = true },
        ["restart", var time] => fault with { RestartAfter = ParseTime(time) ?? throw new FormatException($"'{time}' is no time; use 'restart 5s' or 'restart never'.") },
        _ => throw new FormatException($"'{string.Join(' ', rest)}' says nothing about a kill; use 'restart 5s' or 'restart never'."),
    };

    private static Fault Slow(Fault fault, string[] rest) => rest is [var duration, var share]
        && share.EndsWith('%')
        && double.TryParse(share.AsSpan(0, share.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
        && percent is > 0 and <= 99
            ? fault with { Duration = Time(duration), StoppedShare = percent / 100 }
            : throw new FormatException("slowing needs a time and a share of 1 to 99 % that the process stands still: 'slow VICTIM 3s 80%'.");

    private static Fault Corrupt(Fault fault, string[] rest, IReadOnlyCollection<string> ids, int stages)
    {
        if (rest is not [var other, .. var count] || count.Length > 1)
        {
            throw new FormatException("corruption lies between two workers: 'corrupt head next 5'.");
        }

        var chunks = 1;
        if (count is [var word] && (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out chunks) || chunks < 1))
        {
            throw new FormatException($"'{word}' is no number of chunks from 1 on.");
        }

        return Between(fault, other, ids, stages) with { Chunks = chunks };
    }

    private static Fault Partition(Fault fault, string[] rest, IReadOnlyCollection<string> ids, int stages)
    {
        if (rest is not [var other, var duration, .. var ways] || ways.Length > 1)
        {
            throw new FormatException("a partition lies between two processes and needs its time: 'partition head tail 1s'.");
        }

        var way = PartitionWay.Both;
        if (ways is [var word])
        {
            way = Names.Parse<PartitionWay>(word) ?? throw new FormatException($"'{word}' is no way; use both, out or back.");
        }

        return Between(fault, other, ids, stages) with { Duration = Time(duration), Way = way };
    }

    private static Fault Between(Fault fault, string other, IReadOnlyCollection<string> ids, int stages)
    {
        var second = ParseVictim(other, ids, stages, isSecond: true);
        var routers = (fault.Victim.Role == VictimRole.Router ? 1 : 0) + (second.Role == VictimRole.Router ? 1 : 0);
        return routers == 0 || (routers == 1 && fault.Kind == FaultKind.Partition)
            ? fault with { Other = second }
            : throw new FormatException($"a {Names.Of(fault.Kind)} lies between two workers{(fault.Kind == FaultKind.Partition ? ", or a router and a worker" : "")}.");
    }

    private static TimeSpan Time(string word) => ParseTime(word) is { } time && time > TimeSpan.Zero
        ? time
        : throw new FormatException($"'{word}' is no time; use e.g. 2s or 500ms.");

    private static Victim ParseVictim(string word, IReadOnlyCollection<string> ids, int stages, bool isSecond)
    {
        if (ids.Contains(word))
        {
            return new Victim(VictimRole.Named, word);
        }

        var role = Names.Parse<VictimRole>(word);
        if (role is null or VictimRole.Named || (role == VictimRole.Next && !isSecond))
        {
            throw new FormatException($"'{word}' is nobody; use head, middle, tail, spare, router, random{(isSecond ? ", next" : "")} or a worker: {string.Join(", ", ids)}.");
        }

        return role == VictimRole.Middle && stages < 3
            ? throw new FormatException("a ring of two stages has no middle.")
            : new Victim(role.Value);
    }
}
