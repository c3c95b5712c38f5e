using System.Globalization;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>C's strftime in the C locale, for <c>strftime_now</c>.</summary>
internal static class TimeFormat
{
    private static readonly DateTimeFormatInfo Names = CultureInfo.InvariantCulture.DateTimeFormat;

    public static string Format(RenderState state, string format, DateTimeOffset time)
    {
        var buffer = state.Rent();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                buffer.Write(state, format[i]);
                continue;
            }

            state.Charge(1);
            var unpadded = ++i < format.Length && format[i] == '-';
            i += unpadded ? 1 : 0;
            var field = i < format.Length ? Field(state, format[i], time) : throw state.Fail("the time format ends with '%'");
            var trimmed = unpadded ? field.TrimStart('0', ' ') : field;
            buffer.Write(state, trimmed.Length == 0 && field.Length > 0 ? field[^1..] : trimmed);
        }

        return state.Return(buffer);
    }

    private static string Field(RenderState state, char directive, DateTimeOffset time)
    {
        var hour12 = (time.Hour + 11) % 12 + 1;
        var sunday = (int)time.DayOfWeek;
        return directive switch
        {
            'a' => Names.GetAbbreviatedDayName(time.DayOfWeek),
            'A' => Names.GetDayName(time.DayOfWeek),
            'b' or 'h' => Names.GetAbbreviatedMonthName(time.Month),
            'B' => Names.GetMonthName(time.Month),
            'c' => Join(state, "%a %b %e %H:%M:%S %Y", time),
            'C' => Pad(time.Year / 100, 2),
            'd' => Pad(time.Day, 2),
            'D' or 'x' => Join(state, "%m/%d/%y", time),
            'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'f' => Pad((int)(time.Ticks % TimeSpan.TicksPerSecond / 10), 6),
            'F' => Join(state, "%Y-%m-%d", time),
            'g' => Pad(ISOWeek.GetYear(time.DateTime) % 100, 2),
            'G' => Pad(ISOWeek.GetYear(time.DateTime), 4),
            'H' => Pad(time.Hour, 2),
            'I' => Pad(hour12, 2),
            'j' => Pad(time.DayOfYear, 3),
            'k' => time.Hour.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'l' => hour12.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'm' => Pad(time.Month, 2),
            'M' => Pad(time.Minute, 2),
            'n' => "\n",
            'p' => time.Hour < 12 ? "AM" : "PM",
            'r' => Join(state, "%I:%M:%S %p", time),
            'R' => Join(state, "%H:%M", time),
            's' => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            'S' => Pad(time.Second, 2),
            't' => "\t",
            'T' or 'X' => Join(state, "%H:%M:%S", time),
            'u' => Pad(sunday == 0 ? 7 : sunday, 1),
            'U' => Pad((time.DayOfYear + 6 - sunday) / 7, 2),
            'V' => Pad(ISOWeek.GetWeekOfYear(time.DateTime), 2),
            'w' => Pad(sunday, 1),
            'W' => Pad((time.DayOfYear + 6 - ((sunday + 6) % 7)) / 7, 2),
            'y' => Pad(time.Year % 100, 2),
            'Y' => time.Year.ToString(CultureInfo.InvariantCulture),

            // Python's datetime.now() knows no time zone: both are empty.
            'z' or 'Z' => "",
            '%' => "%",
            _ => throw state.Fail($"the time format's '%{directive}' is not known"),
        };
    }

    private static string Join(RenderState state, string format, DateTimeOffset time) => Format(state, format, time);

    private static string Pad(int number, int width) => number.ToString(CultureInfo.InvariantCulture).PadLeft(width, '0');
}
