using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>One step of the pre-tokenizer: a pattern and what is done with its matches.</summary>
internal sealed class SplitStage
{
    private readonly PatternAutomaton _automaton;
    private readonly SplitBehavior _behavior;
    private readonly bool _invert;
    private readonly string _file;
    private readonly string _pattern;

    /// <param name="pattern">The pattern's tree.</param>
    /// <param name="source">The pattern's text, for messages.</param>
    /// <param name="file">The file that asks for it, for messages.</param>
    /// <param name="behavior">What happens to matches.</param>
    /// <param name="invert">Whether matches and the text between them swap roles.</param>
    /// <exception cref="PatternException">The pattern is too large.</exception>
    public SplitStage(PatternNode pattern, string source, string file, SplitBehavior behavior = SplitBehavior.Isolated, bool invert = false)
    {
        _automaton = PatternAutomaton.Build(pattern);
        _pattern = source;
        _file = file;
        _behavior = behavior;
        _invert = invert;
    }

    public static SplitStage OfRegex(string regex, string file, SplitBehavior behavior = SplitBehavior.Isolated, bool invert = false) =>
        new(PatternParser.Parse(regex), regex, file, behavior, invert);

    public static SplitStage OfLiteral(string text, string file, SplitBehavior behavior = SplitBehavior.Isolated, bool invert = false) =>
        new(PatternParser.Literal(text), text, file, behavior, invert);

    /// <summary>Cuts a text into its pieces, in order.</summary>
    public Pieces Split(ReadOnlySpan<char> text) => new(this, text);

    /// <summary>The pieces of one text; a <c>foreach</c> pattern without allocation.</summary>
    internal ref struct Pieces
    {
        private readonly SplitStage _stage;
        private readonly ReadOnlySpan<char> _text;
        private long _steps;
        private int _at;
        private Segment _match;     // a match found behind a gap, to be given next
        private Segment _pending;   // a segment that may still grow
        private bool _lastWasMatch;

        public Pieces(SplitStage stage, ReadOnlySpan<char> text)
        {
            _stage = stage;
            _text = text;
            // The patterns in use look at each character a few times; one that looks at each of them again and again
            // would take quadratic time on the right text.
            _steps = 100_000 + (200L * text.Length);
        }

        /// <summary>Where the current piece lies in the text.</summary>
        public Range Current { get; private set; }

        /// <summary>Whether the current piece is a match of the pattern; only with <see cref="SplitBehavior.Isolated"/>.</summary>
        public bool IsMatch { get; private set; }

        public readonly Pieces GetEnumerator() => this;

        public bool MoveNext()
        {
            while (true)
            {
                var has = NextSegment(out var segment);
                if (has && _stage._invert)
                {
                    segment = segment with { IsMatch = !segment.IsMatch };
                }

                if (_stage._behavior is SplitBehavior.Isolated or SplitBehavior.Removed)
                {
                    if (has && segment.IsMatch && _stage._behavior == SplitBehavior.Removed)
                    {
                        continue;
                    }

                    Current = segment.Start..segment.End;
                    IsMatch = segment.IsMatch;
                    return has;
                }

                // The other behaviours join neighbours: hold one segment back until it cannot grow.
                var joins = has && _pending.End > _pending.Start && Joins(segment.IsMatch);
                _lastWasMatch = segment.IsMatch;
                if (joins)
                {
                    _pending = segment with { Start = _pending.Start };
                    continue;
                }

                var ready = _pending;
                _pending = has ? segment : default;
                if (ready.End > ready.Start)
                {
                    Current = ready.Start..ready.End;
                    return true;
                }

                if (!has)
                {
                    return false;
                }
            }
        }

        private readonly bool Joins(bool isMatch) => _stage._behavior switch
        {
            SplitBehavior.Contiguous => isMatch == _lastWasMatch,
            SplitBehavior.MergedWithPrevious => isMatch && !_lastWasMatch,
            _ => !isMatch && _lastWasMatch,
        };

        /// <summary>The next match, or the text up to it.</summary>
        private bool NextSegment(out Segment segment)
        {
            if (_match.End > _match.Start)
            {
                segment = _match;
                _match = default;
                return true;
            }

            var start = _at;
            while (_at < _text.Length)
            {
                var end = _stage._automaton.MatchAt(_text, _at, ref _steps);
                if (_steps < 0)
                {
                    throw new ModelFormatException(
                        _stage._file, "this split pattern takes more than linear time on a text; it was stopped", _stage._pattern);
                }

                if (end > _at)
                {
                    var match = new Segment(_at, end, IsMatch: true);
                    segment = _at > start ? new Segment(start, _at, IsMatch: false) : match;
                    _match = _at > start ? match : default;
                    _at = end;
                    return true;
                }

                _at += char.IsHighSurrogate(_text[_at]) && _at + 1 < _text.Length ? 2 : 1;
            }

            segment = new Segment(start, _at, IsMatch: false);
            return _at > start;
        }

        private readonly record struct Segment(int Start, int End, bool IsMatch);
    }
}
