using System.Globalization;
using System.Text;

namespace Parallax.Audit.Log;

/// <summary>
/// The lines of a log's files. <c>E payload</c>: an event, which goes to the event store. <c>T stream choice first count hash
/// [ids]</c>: tokens that are about to be shown and are in no event yet. <c>S stream length head tokens</c>: where a
/// stream stood that was open when the file was begun. <c>R</c>: here a file begins (it is its first line).
/// </summary>
internal static class LogLine
{
    public static byte[] Event(ReadOnlySpan<byte> payload) => [(byte)'E', (byte)' ', .. payload, (byte)'\n'];

    public static byte[] Tokens(string stream, int choice, int first, ReadOnlySpan<int> ids, string hash, bool areKept)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"T {stream} {choice} {first} {ids.Length} {hash}");
        if (areKept)
        {
            foreach (var id in ids)
            {
                text.Append(CultureInfo.InvariantCulture, $" {id}");
            }
        }

        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    public static byte[] State(string stream, long length, string head, int tokens) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"S {stream} {length} {head} {tokens}\n"));

    public static ReadOnlySpan<byte> NewFile => "R\n"u8;
}
