using System.Globalization;

namespace Parallax.Router.Api.Ids;

/// <summary>How much of a choice a client has. Later events of a choice compare as greater.</summary>
/// <param name="LastIndex">Index of the last token whose text it has; -1 for none.</param>
/// <param name="Part">What it has beyond.</param>
internal readonly record struct ChoiceProgress(int LastIndex, ChoicePart Part) : IComparable<ChoiceProgress>
{
    private const string NothingText = "_";
    private const char RestMark = 't';
    private const char FinishMark = 'f';

    /// <summary>Nothing at all.</summary>
    public static ChoiceProgress Nothing { get; } = new(-1, ChoicePart.Nothing);

    /// <summary>The event that opens the choice.</summary>
    public static ChoiceProgress Opened { get; } = new(-1, ChoicePart.Text);

    public static bool operator <(ChoiceProgress left, ChoiceProgress right) => left.CompareTo(right) < 0;

    public static bool operator >(ChoiceProgress left, ChoiceProgress right) => left.CompareTo(right) > 0;

    public static bool operator <=(ChoiceProgress left, ChoiceProgress right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ChoiceProgress left, ChoiceProgress right) => left.CompareTo(right) >= 0;

    /// <summary>Reads what <see cref="ToString"/> writes, and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ChoiceProgress progress)
    {
        progress = Nothing;
        if (text is NothingText)
        {
            return true;
        }

        var part = text switch
        {
            [.., RestMark] => ChoicePart.Rest,
            [.., FinishMark] => ChoicePart.Finish,
            _ => ChoicePart.Text,
        };
        var number = part == ChoicePart.Text ? text : text[..^1];
        var isCanonical = number is "-1" or "0" || (number.Length > 0 && number[0] is >= '1' and <= '9' && !number.ContainsAnyExceptInRange('0', '9'));
        if (!isCanonical || !int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            return false;
        }

        progress = new ChoiceProgress(index, part);
        return true;
    }

    public int CompareTo(ChoiceProgress other) =>
        LastIndex != other.LastIndex ? LastIndex.CompareTo(other.LastIndex) : Part.CompareTo(other.Part);

    public override string ToString()
    {
        var index = LastIndex.ToString(CultureInfo.InvariantCulture);
        return Part switch
        {
            ChoicePart.Nothing => NothingText,
            ChoicePart.Rest => index + RestMark,
            ChoicePart.Finish => index + FinishMark,
            _ => index,
        };
    }
}
