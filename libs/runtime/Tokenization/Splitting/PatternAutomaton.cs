using System.Runtime.InteropServices;

namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>
/// A split pattern as a deterministic automaton: one table look-up per character, no backtracking. It prefers the
/// same match as a backtracking engine (first option first, greedy loops longest), because a state is the ordered
/// list of the threads that are still alive; a thread that matches ends all those after it. Built whole at load, so
/// that it is immutable and shared between threads.
/// </summary>
internal sealed class PatternAutomaton
{
    private const int MaxStates = 2048;
    private const int MaxWork = 20_000_000;
    private const int Dead = 0;
    private const int Initial = 1;

    private readonly CodePointClasses _classes;
    private readonly int[] _table; // [state, class or end]: next state * 2, plus 1 if a match ends before the code point
    private readonly int _stride;

    private PatternAutomaton(CodePointClasses classes, int[] table)
    {
        _classes = classes;
        _table = table;
        _stride = classes.Count + 1;
    }

    /// <exception cref="PatternException">The automaton would be too large.</exception>
    public static PatternAutomaton Build(PatternNode pattern)
    {
        var program = PatternProgram.Compile(pattern);
        var classes = new CodePointClasses(program.Sets);
        return new PatternAutomaton(classes, new Builder(program, classes).Build());
    }

    /// <summary>
    /// The end of the preferred match that begins at <paramref name="start"/>, or -1.
    /// </summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="start">Where the match must begin.</param>
    /// <param name="steps">Counts down the characters looked at.</param>
    public int MatchAt(ReadOnlySpan<char> text, int start, ref long steps)
    {
        var end = -1;
        var at = start;
        var state = Initial;
        while (at < text.Length)
        {
            var c = text[at];
            var length = 1;
            int kind;
            if (char.IsHighSurrogate(c) && at + 1 < text.Length)
            {
                kind = _classes.Of(char.ConvertToUtf32(c, text[at + 1]));
                length = 2;
            }
            else
            {
                kind = _classes.Of(c);
            }

            var entry = _table[(state * _stride) + kind];
            if ((entry & 1) != 0)
            {
                end = at;
            }

            state = entry >> 1;
            if (state == Dead)
            {
                steps -= at - start + 1;
                return end;
            }

            at += length;
        }

        steps -= at - start + 1;
        return (_table[(state * _stride) + _stride - 1] & 1) != 0 ? at : end;
    }

    /// <summary>The subset construction over ordered thread lists.</summary>
    private sealed class Builder(PatternProgram program, CodePointClasses classes)
    {
        private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
        private readonly List<int[]> _states = [];
        private readonly List<int> _table = [];
        private readonly int[] _visited = new int[program.Code.Count];
        private readonly int[] _taken = new int[program.Code.Count];
        private readonly Stack<int> _stack = new();
        private int _round;
        private int _work;

        public int[] Build()
        {
            StateOf([]); // Dead
            StateOf([program.Start]); // Initial
            for (var state = 0; state < _states.Count; state++)
            {
                for (var kind = 0; kind <= classes.Count; kind++)
                {
                    _table.Add(Step(_states[state], kind));
                }
            }

            return [.. _table];
        }

        private int StateOf(List<int> threads)
        {
            var key = new string(MemoryMarshal.Cast<int, char>(CollectionsMarshal.AsSpan(threads)));
            if (!_ids.TryGetValue(key, out var id))
            {
                id = _states.Count;
                if (id == MaxStates)
                {
                    throw new PatternException($"the pattern needs more than {MaxStates} states");
                }

                _ids.Add(key, id);
                _states.Add([.. threads]);
            }

            return id;
        }

        /// <summary>Runs all threads up to and over one code point of a class (the last class is the end).</summary>
        private int Step(int[] threads, int kind)
        {
            _round++;
            var next = new List<int>();
            foreach (var thread in threads)
            {
                _stack.Push(thread);
                while (_stack.TryPop(out var at))
                {
                    if (++_work > MaxWork)
                    {
                        throw new PatternException("the pattern is too large");
                    }

                    if (_visited[at] == _round)
                    {
                        continue;
                    }

                    _visited[at] = _round;
                    if (Follow(at, kind, next))
                    {
                        _stack.Clear();
                        return (StateOf(next) << 1) | 1;
                    }
                }
            }

            return StateOf(next) << 1;
        }

        /// <summary>Follows one instruction; true when the pattern has matched.</summary>
        private bool Follow(int at, int kind, List<int> next)
        {
            var instruction = program.Code[at];
            var isEnd = kind == classes.Count;
            switch (instruction.Operation)
            {
                case PatternProgram.Operation.Match:
                    return true;
                case PatternProgram.Operation.Fork:
                    _stack.Push(instruction.Argument);
                    _stack.Push(instruction.Next);
                    return false;
                case PatternProgram.Operation.Take:
                    if (!isEnd && classes.IsIn(kind, instruction.Argument) && _taken[instruction.Next] != _round)
                    {
                        _taken[instruction.Next] = _round;
                        next.Add(instruction.Next);
                    }

                    return false;
                default:
                    var holds = isEnd
                        ? instruction.Operation == PatternProgram.Operation.AheadOrEnd
                        : classes.IsIn(kind, instruction.Argument);
                    if (holds)
                    {
                        _stack.Push(instruction.Next);
                    }

                    return false;
            }
        }
    }
}
