using System.Buffers;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>
/// Text under construction, in pooled memory. The rendered text counts against the output limit; a captured text
/// (macro, set block) and a text that a filter builds count against the intermediate limit.
/// </summary>
internal sealed class TextBuffer(bool isOutput) : IDisposable
{
    private char[] _characters = ArrayPool<char>.Shared.Rent(1024);
    private int _length;

    public int Length => _length;

    public ReadOnlySpan<char> Span => _characters.AsSpan(0, _length);

    public void Write(RenderState state, ReadOnlySpan<char> text)
    {
        if (isOutput)
        {
            state.CheckOutput((long)_length + text.Length);
        }
        else
        {
            state.Allocate(text.Length);
        }

        if (text.Length > _characters.Length - _length)
        {
            Grow(text.Length);
        }

        text.CopyTo(_characters.AsSpan(_length));
        _length += text.Length;
    }

    public void Write(RenderState state, char character) => Write(state, new ReadOnlySpan<char>(in character));

    public void WriteRepeated(RenderState state, char character, int count)
    {
        Span<char> chunk = stackalloc char[64];
        chunk.Fill(character);
        for (; count > 0; count -= chunk.Length)
        {
            Write(state, chunk[..Math.Min(count, chunk.Length)]);
        }
    }

    public void Clear() => _length = 0;

    public override string ToString() => new(_characters, 0, _length);

    public void Dispose()
    {
        var characters = _characters;
        _characters = [];
        _length = 0;
        if (characters.Length > 0)
        {
            ArrayPool<char>.Shared.Return(characters);
        }
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<char>.Shared.Rent(Math.Max(_characters.Length * 2, checked(_length + needed)));
        Span.CopyTo(larger);
        ArrayPool<char>.Shared.Return(_characters);
        _characters = larger;
    }
}
