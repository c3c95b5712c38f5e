using Parallax.Runtime.ChatTemplates.Nodes;

namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>Tags.</summary>
internal sealed partial class Parser
{
    /// <summary>Statements up to one of the closing words, whose name is left as the current token.</summary>
    private Block ParseBlock(string opener, string[] closers, int openLine = 0)
    {
        var statements = new List<Statement>();
        while (true)
        {
            var token = Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    statements.Add(new TextStatement(token.Text, token.Line));
                    break;
                case TokenKind.OutputBegin:
                    statements.Add(Checked(new OutputStatement(ParseTuple(), token.Line)));
                    ExpectEnd(TokenKind.OutputEnd, "'}}'");
                    break;
                case TokenKind.TagBegin:
                    if (Current.Kind == TokenKind.Name && closers.Contains(Current.Text))
                    {
                        return new Block([.. statements]);
                    }

                    if (ParseTag(closers) is { } statement)
                    {
                        statements.Add(Checked(statement));
                    }

                    ExpectEnd(TokenKind.TagEnd, "'%}'");
                    break;
                default:
                    return closers.Length == 0
                        ? new Block([.. statements])
                        : throw _errors.At(openLine, $"tag '{opener}'", $"it is never closed by '{closers[^1]}'");
            }
        }
    }

    /// <summary>The end of a tag's head, its body, and the closing word.</summary>
    private Block ParseBody(string opener, int line, params string[] closers)
    {
        Skip(":");
        ExpectEnd(TokenKind.TagEnd, "'%}'");
        Nest();
        var block = ParseBlock(opener, closers, line);
        _nesting--;
        return block;
    }

    private void ExpectEnd(TokenKind kind, string what)
    {
        if (Current.Kind != kind)
        {
            throw Unexpected(what);
        }

        Next();
    }

    private Statement? ParseTag(string[] closers)
    {
        var line = Current.Line;
        var word = ExpectAnyName("the name of a tag");
        switch (word)
        {
            case "if":
                return ParseIf(line);
            case "for":
                return ParseFor(line);
            case "set":
                return ParseSet(line);
            case "macro":
                return ParseMacro(line);
            case "call":
                return ParseCallBlock(line);
            case "filter":
                return ParseFilterBlock(line);
            case "with":
                return ParseWith(line);
            case "print":
                return ParsePrint(line);
            case "generation" when _dialect == TemplateDialect.HuggingFace:
                return ParseGeneration(line);
            case "break" or "continue":
                return _loopDepth > 0
                    ? new LoopControlStatement(word == "break" ? Flow.Break : Flow.Continue, line)
                    : throw _errors.At(line, $"tag '{word}'", "it stands outside of a loop");
            case "include" or "import" or "from" or "extends" or "block":
                throw _errors.At(line, $"tag '{word}'", "it is refused: a chat template stands alone, without other files");
            case "do" or "autoescape" or "trans" or "debug":
                throw _errors.At(line, $"tag '{word}'", "it is not supported in chat templates");
            default:
                var hint = closers.Length > 0 ? $"; the open tag is closed by '{closers[^1]}'" : "";
                throw _errors.At(line, $"tag '{word}'", "there is no such tag" + hint);
        }
    }

    /// <summary>Several expressions are printed one after another, without anything between.</summary>
    private OutputStatement ParsePrint(int line)
    {
        var parts = new List<Expression> { ParseExpression() };
        while (Skip(","))
        {
            parts.Add(ParseExpression());
        }

        return new OutputStatement(Checked(new JoinExpression([.. parts], line)), line);
    }

    private IfStatement ParseIf(int line)
    {
        var branches = new List<IfStatement.Branch>();
        Block? otherwise = null;
        _conditionDepth++;
        while (true)
        {
            var condition = ParseTuple(withCondition: false);
            branches.Add(new IfStatement.Branch(condition, ParseBody("if", line, "elif", "else", "endif")));
            var closer = Next().Text;
            if (closer == "elif")
            {
                continue;
            }

            if (closer == "else")
            {
                otherwise = ParseBody("if", line, "endif");
                Next();
            }

            _conditionDepth--;
            return new IfStatement([.. branches], otherwise, line);
        }
    }

    private ForStatement ParseFor(int line)
    {
        var shape = ParseTargetShape(isLoop: true);
        ExpectName("in");
        var iterable = ParseTuple(withCondition: false, isEnd: () => Current.IsName("recursive"));
        ForStatement.LoopFilter? filter = null;
        if (SkipName("if"))
        {
            var filterScope = OpenScope();
            var filterTarget = MakeTarget(shape);
            filter = new ForStatement.LoopFilter(ParseExpression(), filterTarget, filterScope);
            CloseScope();
        }

        var isRecursive = SkipName("recursive");
        var scope = OpenScope();
        if (isRecursive)
        {
            scope.Capture();
        }

        var loopSlot = scope.Declare("loop");
        var target = MakeTarget(shape);
        _loopDepth++;
        var body = ParseBody("for", line, "else", "endfor");
        _loopDepth--;
        CloseScope();
        Block? otherwise = null;
        Scope? otherwiseScope = null;
        if (Next().Text == "else")
        {
            otherwiseScope = OpenScope();
            otherwise = ParseBody("for", line, "endfor");
            CloseScope();
            Next();
        }

        return new ForStatement(
            new ForStatement.Parts
            {
                Iterable = iterable,
                Target = target,
                Scope = scope,
                LoopSlot = loopSlot,
                Body = body,
                Filter = filter,
                Else = otherwise,
                ElseScope = otherwiseScope,
                IsRecursive = isRecursive,
            },
            line);
    }

    private Statement ParseSet(int line)
    {
        var target = MakeTarget(ParseTargetShape(isLoop: false));
        if (Skip("="))
        {
            return new SetStatement(target, ParseTuple(), line);
        }

        var filters = ParseFilterChain();
        var scope = OpenScope();
        var body = ParseIsolated(() => ParseBody("set", line, "endset"));
        CloseScope();
        Next();
        return new SetBlockStatement(target, filters, body, scope, line);
    }

    private FilterBlockStatement ParseFilterBlock(int line)
    {
        var filters = new List<FilterCall> { ParseFilterCall() };
        filters.AddRange(ParseFilterChain());
        var scope = OpenScope();
        var body = ParseIsolated(() => ParseBody("filter", line, "endfilter"));
        CloseScope();
        Next();
        return new FilterBlockStatement([.. filters], body, scope, line);
    }

    private GenerationStatement ParseGeneration(int line)
    {
        var scope = OpenScope();
        var body = ParseIsolated(() => ParseBody("generation", line, "endgeneration"));
        CloseScope();
        Next();
        return new GenerationStatement(body, scope, line);
    }

    private WithStatement ParseWith(int line)
    {
        var shapes = new List<KeyValuePair<TargetShape, Expression>>();
        while (Current.Kind != TokenKind.TagEnd)
        {
            if (shapes.Count > 0)
            {
                Expect(",");
            }

            var shape = ParseTargetShape(isLoop: true);
            Expect("=");
            shapes.Add(new(shape, ParseExpression()));
        }

        var scope = OpenScope();
        var bindings = shapes.Select(pair => KeyValuePair.Create(MakeTarget(pair.Key), pair.Value)).ToArray();
        var body = ParseBody("with", line, "endwith");
        CloseScope();
        Next();
        return new WithStatement(bindings, body, scope, line);
    }

    private MacroStatement ParseMacro(int line)
    {
        var name = ExpectAnyName("the macro's name");
        var target = MakeTarget(new TargetShape(name, null, null, line));
        var definition = ParseMacroBody("macro", name, line, "endmacro");
        return new MacroStatement(definition, target, line);
    }

    private CallBlockStatement ParseCallBlock(int line)
    {
        var signatureAt = _position;
        if (Current.Is("("))
        {
            SkipBrackets();
        }

        var call = ParseExpression() as CallExpression
            ?? throw _errors.At(line, "tag 'call'", "expected the call of a macro");
        var bodyAt = _position;

        // The signature belongs to the body's scope, which opens after the call: go back for it.
        _position = signatureAt;
        var definition = ParseMacroBody("call", null, line, "endcall", bodyAt);
        return new CallBlockStatement(call, definition, line);
    }

    private void SkipBrackets()
    {
        var depth = 0;
        do
        {
            depth += Current.Is("(") ? 1 : Current.Is(")") ? -1 : 0;
            if (Current.Kind is TokenKind.TagEnd or TokenKind.End)
            {
                throw Unexpected("')'");
            }

            Next();
        }
        while (depth > 0);
    }

    private MacroDefinition ParseMacroBody(string tag, string? name, int line, string closer, int? bodyAt = null)
    {
        _scope.Capture();
        var scope = OpenScope();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var parameters = Current.Is("(") || name is not null ? ParseParameters(scope, names) : [];
        var special = new MacroScope(scope, names);
        _position = bodyAt ?? _position;
        _macros.Add(special);
        var body = ParseIsolated(() => ParseBody(tag, line, closer));
        _macros.RemoveAt(_macros.Count - 1);
        CloseScope();
        Next();
        return new MacroDefinition
        {
            Name = name,
            Parameters = parameters,
            Body = body,
            Scope = scope,
            CallerSlot = special.Caller,
            PositionalSlot = special.Positional,
            NamedSlot = special.Named,
        };
    }

    private MacroDefinition.Parameter[] ParseParameters(Scope scope, HashSet<string> names)
    {
        Expect("(");
        var parameters = new List<MacroDefinition.Parameter>();
        while (!Current.Is(")"))
        {
            if (parameters.Count > 0)
            {
                Expect(",");
            }

            var name = ExpectAnyName("a parameter's name");
            if (!names.Add(name))
            {
                throw _errors.At(Current.Line, "macro", $"the parameter '{name}' is declared twice");
            }

            var slot = scope.Declare(name);
            var otherwise = Skip("=") ? ParseExpression() : null;
            if (otherwise is null && parameters is [.., { Default: not null }])
            {
                throw _errors.At(Current.Line, "macro", $"the parameter '{name}' without a default follows one with a default");
            }

            parameters.Add(new MacroDefinition.Parameter(name, slot, otherwise));
        }

        Expect(")");
        return [.. parameters];
    }

    /// <summary>A body that loops around it cannot be left from: its text is captured.</summary>
    private Block ParseIsolated(Func<Block> parse)
    {
        var loops = _loopDepth;
        _loopDepth = 0;
        var block = parse();
        _loopDepth = loops;
        return block;
    }

    private TargetShape ParseTargetShape(bool isLoop)
    {
        Nest();
        var line = Current.Line;
        var parts = new List<TargetShape>();
        var isTuple = false;
        while (Current.Kind == TokenKind.Name && !(isLoop && Current.IsName("in")) || Current.Is("("))
        {
            parts.Add(ParseSingleTarget(isLoop));
            if (!Skip(","))
            {
                break;
            }

            isTuple = true;
        }

        _nesting--;
        return isTuple ? new TargetShape(null, null, [.. parts], line)
            : parts.Count == 1 ? parts[0]
            : throw Unexpected("a name to assign to");
    }

    private TargetShape ParseSingleTarget(bool isLoop)
    {
        var line = Current.Line;
        if (Skip("("))
        {
            var inner = ParseTargetShape(isLoop);
            Expect(")");
            return inner;
        }

        var name = Next().Text;
        if (name is "true" or "false" or "none" or "True" or "False" or "None" || (isLoop && name == "loop"))
        {
            throw _errors.At(line, "assignment", $"'{name}' cannot be assigned to");
        }

        return !isLoop && Skip(".")
            ? new TargetShape(name, ExpectAnyName("an attribute's name"), null, line)
            : new TargetShape(name, null, null, line);
    }

    private AssignTarget MakeTarget(TargetShape shape)
    {
        if (shape.Parts is not null)
        {
            return new TupleTarget([.. shape.Parts.Select(MakeTarget)], shape.Line);
        }

        return shape.Attribute is null
            ? new NameTarget(shape.Name!, _scope.Declare(shape.Name!), shape.Line)
            : new NamespaceTarget(MakeName(shape.Name!, shape.Line), shape.Attribute, shape.Line);
    }

    /// <summary>An assignment's left side as written: a name, an attribute of a name, or several.</summary>
    private sealed record TargetShape(string? Name, string? Attribute, TargetShape[]? Parts, int Line);
}
