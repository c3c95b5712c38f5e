namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>
/// A pattern as a small program for a machine with threads in order of preference (an ordered NFA): the form between
/// the syntax tree and the automaton.
/// </summary>
internal sealed class PatternProgram
{
    /// <summary>What an instruction does.</summary>
    internal enum Operation
    {
        /// <summary>Takes one code point of the set <c>Argument</c>, then goes on at <c>Next</c>.</summary>
        Take,

        /// <summary>Goes on at <c>Next</c> if the code point ahead is in the set <c>Argument</c>.</summary>
        Ahead,

        /// <summary>As <see cref="Ahead"/>, and at the end of the text as well.</summary>
        AheadOrEnd,

        /// <summary>Tries <c>Next</c> first, then <c>Argument</c>.</summary>
        Fork,

        /// <summary>The pattern has matched.</summary>
        Match,
    }

    /// <summary>One instruction.</summary>
    internal readonly record struct Instruction(Operation Operation, int Next, int Argument);

    private const int MaxInstructions = 2000;
    private const int MaxSets = 256;

    private readonly List<Instruction> _code = [];
    private readonly List<CodePointSet> _sets = [];
    private readonly Dictionary<CodePointSet, int> _setIndex = [];

    private PatternProgram()
    {
    }

    public IReadOnlyList<Instruction> Code => _code;

    public IReadOnlyList<CodePointSet> Sets => _sets;

    /// <summary>Where the program begins.</summary>
    public int Start { get; private set; }

    /// <exception cref="PatternException">The pattern needs too many instructions or sets.</exception>
    public static PatternProgram Compile(PatternNode pattern)
    {
        var program = new PatternProgram();
        program.Start = program.Emit(pattern, program.Add(new Instruction(Operation.Match, 0, 0)));
        return program;
    }

    /// <summary>Emits code that matches the node and goes on at <paramref name="next"/>; returns its entry.</summary>
    private int Emit(PatternNode node, int next)
    {
        switch (node)
        {
            case PatternNode.Nothing:
                return next;
            case PatternNode.Point point:
                return Add(new Instruction(Operation.Take, next, SetId(point.Set)));
            case PatternNode.Before before:
                var operation = before.OrEnd ? Operation.AheadOrEnd : Operation.Ahead;
                return Add(new Instruction(operation, next, SetId(before.Set)));
            case PatternNode.Sequence sequence:
                for (var i = sequence.Parts.Count - 1; i >= 0; i--)
                {
                    next = Emit(sequence.Parts[i], next);
                }

                return next;
            case PatternNode.Choice choice:
                var entry = Emit(choice.Options[^1], next);
                for (var i = choice.Options.Count - 2; i >= 0; i--)
                {
                    entry = Add(new Instruction(Operation.Fork, Emit(choice.Options[i], next), entry));
                }

                return entry;
            case PatternNode.Repeat repeat:
                return EmitRepeat(repeat, next);
            default:
                throw new PatternException($"a {node.GetType().Name} cannot be compiled");
        }
    }

    private int EmitRepeat(PatternNode.Repeat repeat, int next)
    {
        var entry = next;
        if (repeat.Max is not { } max)
        {
            entry = Add(default); // the loop's fork, filled in once the body is known
            var body = Emit(repeat.Body, entry);
            _code[entry] = repeat.Lazy
                ? new Instruction(Operation.Fork, next, body)
                : new Instruction(Operation.Fork, body, next);
        }
        else
        {
            for (var i = repeat.Min; i < max; i++)
            {
                var body = Emit(repeat.Body, entry);
                entry = repeat.Lazy
                    ? Add(new Instruction(Operation.Fork, next, body))
                    : Add(new Instruction(Operation.Fork, body, next));
            }
        }

        for (var i = 0; i < repeat.Min; i++)
        {
            entry = Emit(repeat.Body, entry);
        }

        return entry;
    }

    private int Add(Instruction instruction)
    {
        if (_code.Count == MaxInstructions)
        {
            throw new PatternException($"the pattern is too large (more than {MaxInstructions} instructions)");
        }

        _code.Add(instruction);
        return _code.Count - 1;
    }

    private int SetId(CodePointSet set)
    {
        if (!_setIndex.TryGetValue(set, out var id))
        {
            if (_sets.Count == MaxSets)
            {
                throw new PatternException($"the pattern names more than {MaxSets} sets");
            }

            id = _sets.Count;
            _sets.Add(set);
            _setIndex.Add(set, id);
        }

        return id;
    }
}
