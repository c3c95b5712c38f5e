using Parallax.Runtime.ChatTemplates.Library;
using Parallax.Runtime.ChatTemplates.Nodes;

namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>Expressions, from the loosest binding to the tightest.</summary>
internal sealed partial class Parser
{
    /// <summary>An expression, or several parted by commas, which make a tuple.</summary>
    private Expression ParseTuple(bool withCondition = true, Func<bool>? isEnd = null)
    {
        var line = Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (!IsTupleEnd() && isEnd?.Invoke() != true)
        {
            items.Add(ParseExpression(withCondition));
            if (!Skip(","))
            {
                break;
            }

            isTuple = true;
        }

        return isTuple ? Checked(new ArrayExpression([.. items], isTuple: true, line))
            : items.Count == 1 ? items[0]
            : throw Unexpected("an expression");
    }

    private bool IsTupleEnd() => Current.Kind is TokenKind.OutputEnd or TokenKind.TagEnd or TokenKind.End || Current.Is(")");

    private Expression ParseExpression(bool withCondition = true)
    {
        Nest();
        var expression = withCondition ? ParseConditional() : ParseOr();
        _nesting--;
        return expression;
    }

    private Expression ParseConditional()
    {
        var line = Current.Line;
        var then = ParseOr();
        while (SkipName("if"))
        {
            _conditionDepth++;
            var condition = ParseOr();
            var otherwise = SkipName("else") ? ParseExpression() : null;
            _conditionDepth--;
            then = Checked(new ConditionalExpression(condition, then, otherwise, line));
        }

        return then;
    }

    private Expression ParseOr() => ParseChain("or", ParseAnd);

    private Expression ParseAnd() => ParseChain("and", ParseNot);

    private Expression ParseChain(string word, Func<Expression> parseOperand)
    {
        var line = Current.Line;
        var first = parseOperand();
        if (!Current.IsName(word))
        {
            return first;
        }

        var operands = new List<Expression> { first };
        while (SkipName(word))
        {
            operands.Add(parseOperand());
        }

        return Checked(new ShortCircuitExpression([.. operands], word == "and", line));
    }

    private Expression ParseNot()
    {
        var line = Current.Line;
        if (!SkipName("not"))
        {
            return ParseComparison();
        }

        Nest();
        var operand = ParseNot();
        _nesting--;
        return Checked(new NotExpression(operand, line));
    }

    private Expression ParseComparison()
    {
        var line = Current.Line;
        var first = ParseSum();
        var links = new List<ComparisonExpression.Link>();
        while (ReadComparison() is { } operation)
        {
            links.Add(new ComparisonExpression.Link(operation, ParseSum()));
        }

        return links.Count == 0 ? first : Checked(new ComparisonExpression(first, [.. links], line));
    }

    private string? ReadComparison()
    {
        if (Current.Kind == TokenKind.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=")
        {
            return Next().Text;
        }

        if (SkipName("in"))
        {
            return "in";
        }

        if (Current.IsName("not") && Look().IsName("in"))
        {
            _position += 2;
            return "not in";
        }

        return null;
    }

    private Expression ParseSum()
    {
        var line = Current.Line;
        var first = ParseJoin();
        var terms = new List<SumExpression.Term>();
        while (Current.Is("+") || Current.Is("-"))
        {
            var isAddition = Next().Text == "+";
            terms.Add(new SumExpression.Term(isAddition, ParseJoin()));
        }

        return terms.Count == 0 ? first : Checked(new SumExpression(first, [.. terms], line));
    }

    private Expression ParseJoin()
    {
        var line = Current.Line;
        var first = ParseProduct();
        if (!Current.Is("~"))
        {
            return first;
        }

        var operands = new List<Expression> { first };
        while (Skip("~"))
        {
            operands.Add(ParseProduct());
        }

        return Checked(new JoinExpression([.. operands], line));
    }

    private Expression ParseProduct()
    {
        var left = ParsePower();
        while (Current.Kind == TokenKind.Operator && Current.Text is "*" or "/" or "//" or "%")
        {
            var operation = Next();
            left = Checked(new BinaryExpression(operation.Text, left, ParsePower(), operation.Line));
        }

        return left;
    }

    private Expression ParsePower()
    {
        var left = ParseUnary();
        while (Current.Is("**"))
        {
            var line = Next().Line;
            left = Checked(new BinaryExpression("**", left, ParseUnary(), line));
        }

        return left;
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        var line = Current.Line;
        Expression node;
        if (Current.Is("-") || Current.Is("+"))
        {
            var isNegative = Next().Text == "-";
            Nest();
            node = Checked(new SignExpression(isNegative, ParseUnary(withFilters: false), line));
            _nesting--;
        }
        else
        {
            node = ParsePrimary();
        }

        node = ParsePostfix(node);
        return withFilters ? ParseFilters(node) : node;
    }

    private Expression ParsePrimary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                Next();
                return token.Text switch
                {
                    "true" or "True" => new LiteralExpression(TemplateValue.True, token.Line),
                    "false" or "False" => new LiteralExpression(TemplateValue.False, token.Line),
                    "none" or "None" => new LiteralExpression(TemplateValue.None, token.Line),
                    _ => MakeName(token.Text, token.Line),
                };
            case TokenKind.Number:
                Next();
                return new LiteralExpression(token.Value, token.Line);
            case TokenKind.Text:
                return ParseTexts();
            case TokenKind.Operator when token.Text == "(":
                return ParseParentheses();
            case TokenKind.Operator when token.Text == "[":
                return ParseList();
            case TokenKind.Operator when token.Text == "{":
                return ParseMap();
            default:
                throw Unexpected("an expression");
        }
    }

    /// <summary>Texts side by side are one text.</summary>
    private LiteralExpression ParseTexts()
    {
        var line = Current.Line;
        var parts = new List<string>();
        while (Current.Kind == TokenKind.Text)
        {
            parts.Add(Next().Text);
        }

        return new LiteralExpression(TemplateValue.From(string.Concat(parts)), line);
    }

    private Expression ParseParentheses()
    {
        var line = Next().Line;
        if (Skip(")"))
        {
            return new ArrayExpression([], isTuple: true, line);
        }

        var inner = ParseTuple();
        Expect(")");
        return inner;
    }

    private ArrayExpression ParseList()
    {
        var line = Next().Line;
        var items = new List<Expression>();
        while (!Current.Is("]"))
        {
            items.Add(ParseExpression());
            if (!Current.Is("]"))
            {
                Expect(",");
            }
        }

        Expect("]");
        return Checked(new ArrayExpression([.. items], isTuple: false, line));
    }

    private MapExpression ParseMap()
    {
        var line = Next().Line;
        var entries = new List<KeyValuePair<Expression, Expression>>();
        while (!Current.Is("}"))
        {
            var key = ParseExpression();
            Expect(":");
            entries.Add(new(key, ParseExpression()));
            if (!Current.Is("}"))
            {
                Expect(",");
            }
        }

        Expect("}");
        return Checked(new MapExpression([.. entries], line));
    }

    private Expression ParsePostfix(Expression node)
    {
        while (true)
        {
            if (Current.Is("."))
            {
                node = ParseDot(node);
            }
            else if (Current.Is("["))
            {
                node = ParseSubscript(node);
            }
            else if (Current.Is("("))
            {
                node = ParseCall(node);
            }
            else
            {
                return node;
            }
        }
    }

    private Expression ParseDot(Expression owner)
    {
        var line = Next().Line;
        var token = Next();
        return token.Kind switch
        {
            TokenKind.Name => Checked(new AttributeExpression(owner, token.Text, line)),
            TokenKind.Number when token.Value.IsIntegral =>
                Checked(new ItemExpression(owner, new LiteralExpression(token.Value, line), line)),
            _ => throw _errors.At(token.Line, "", $"expected a name or a number behind '.', found {token.Describe()}"),
        };
    }

    private Expression ParseSubscript(Expression owner)
    {
        var line = Next().Line;
        if (Current.Is("]"))
        {
            throw Unexpected("a subscript");
        }

        var first = Current.Is(":") ? null : ParseExpression();
        Expression node;
        if (Skip(":"))
        {
            var stop = IsSlicePartEnd() ? null : ParseExpression();
            var step = Skip(":") && !IsSlicePartEnd() ? ParseExpression() : null;
            node = Checked(new SliceExpression(owner, first, stop, step, line));
        }
        else
        {
            node = Checked(new ItemExpression(owner, Current.Is(",") ? ParseTupleKey(first!, line) : first!, line));
        }

        Expect("]");
        return node;
    }

    private bool IsSlicePartEnd() => Current.Is(":") || Current.Is("]");

    private ArrayExpression ParseTupleKey(Expression first, int line)
    {
        var items = new List<Expression> { first };
        while (Skip(","))
        {
            items.Add(ParseExpression());
        }

        return Checked(new ArrayExpression([.. items], isTuple: true, line));
    }

    private CallExpression ParseCall(Expression callee)
    {
        var line = Current.Line;
        return Checked(new CallExpression(callee, ParseArguments(), line));
    }

    private ArgumentList ParseArguments()
    {
        Expect("(");
        var positional = new List<Expression>();
        var named = new List<KeyValuePair<string, Expression>>();
        Expression? extraPositional = null;
        Expression? extraNamed = null;
        while (!Current.Is(")"))
        {
            if (extraNamed is not null)
            {
                throw Unexpected("')' behind '**'");
            }

            if (Skip("**"))
            {
                extraNamed = ParseExpression();
            }
            else if (Current.Is("*"))
            {
                extraPositional = extraPositional is null ? ParseStarred() : throw Unexpected("a single '*'");
            }
            else if (Current.Kind == TokenKind.Name && Look().Is("="))
            {
                var name = Next().Text;
                Next();
                if (named.Exists(argument => argument.Key == name))
                {
                    throw _errors.At(Current.Line, "call", $"the argument '{name}' is given twice");
                }

                named.Add(new(name, ParseExpression()));
            }
            else
            {
                positional.Add(named.Count == 0 && extraPositional is null
                    ? ParseExpression()
                    : throw Unexpected("an argument with a name"));
            }

            if (!Current.Is(")"))
            {
                Expect(",");
            }
        }

        Expect(")");
        return positional.Count + named.Count == 0 && extraPositional is null && extraNamed is null
            ? ArgumentList.Empty
            : new ArgumentList([.. positional], [.. named], extraPositional, extraNamed);
    }

    private Expression ParseStarred()
    {
        Next();
        return ParseExpression();
    }

    /// <summary>Filters and tests behind an operand; a call may follow them.</summary>
    private Expression ParseFilters(Expression node)
    {
        while (true)
        {
            if (Current.Is("|"))
            {
                Next();
                node = Checked(new FilterExpression(node, ParseFilterCall(), Current.Line));
            }
            else if (Current.IsName("is"))
            {
                node = ParseTest(node);
            }
            else if (Current.Is("("))
            {
                node = ParseCall(node);
            }
            else
            {
                return node;
            }
        }
    }

    private FilterCall ParseFilterCall()
    {
        var line = Current.Line;
        var name = ParseDottedName("the name of a filter");
        var function = Filters.Find(name);
        RequireKnown(function is not null, $"filter '{name}'", line);
        var arguments = Current.Is("(") ? ParseArguments() : ArgumentList.Empty;
        return Checked(new FilterCall(name, function, arguments, line));
    }

    private FilterCall[] ParseFilterChain()
    {
        var filters = new List<FilterCall>();
        while (Skip("|"))
        {
            filters.Add(ParseFilterCall());
        }

        return [.. filters];
    }

    private Expression ParseTest(Expression subject)
    {
        var line = Next().Line;
        var isNegated = SkipName("not");
        var name = ParseDottedName("the name of a test");
        var function = Tests.Find(name);
        RequireKnown(function is not null, $"test '{name}'", line);
        var arguments = ArgumentList.Empty;
        if (Current.Is("("))
        {
            arguments = ParseArguments();
        }
        else if (StartsTestArgument())
        {
            Nest();
            arguments = new ArgumentList([ParsePostfix(ParsePrimary())], [], null, null);
            _nesting--;
        }

        Expression node = Checked(new TestExpression(subject, name, function, arguments, line));
        return isNegated ? Checked(new NotExpression(node, line)) : node;
    }

    private bool StartsTestArgument()
    {
        if (Current.IsName("is"))
        {
            throw _errors.At(Current.Line, "test", "tests cannot be chained with 'is'");
        }

        return Current.Kind switch
        {
            TokenKind.Name => Current.Text is not ("else" or "or" or "and"),
            TokenKind.Text or TokenKind.Number => true,
            TokenKind.Operator => Current.Text is "[" or "{",
            _ => false,
        };
    }

    private string ParseDottedName(string what)
    {
        var name = ExpectAnyName(what);
        while (Skip("."))
        {
            name += "." + ExpectAnyName(what);
        }

        return name;
    }

    /// <summary>Inside a condition an unknown filter or test is an error only when it is reached, as in Jinja.</summary>
    private void RequireKnown(bool known, string construct, int line)
    {
        if (!known && _conditionDepth == 0)
        {
            throw _errors.At(line, construct, "it is not supported in chat templates");
        }
    }
}
