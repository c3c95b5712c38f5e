using Parallax.Runtime.ChatTemplates.Nodes;

namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>Turns tokens into a tree: this part walks tokens and keeps scopes, the others read expressions and tags.</summary>
internal sealed partial class Parser
{
    private readonly SyntaxErrors _errors;
    private readonly TemplateDialect _dialect;
    private readonly List<Token> _tokens;
    private readonly List<NameExpression> _names = [];
    private readonly List<MacroScope> _macros = [];
    private Scope _scope = new(null);
    private int _position;
    private int _nesting;
    private int _loopDepth;
    private int _conditionDepth;

    public Parser(string source, string template, TemplateDialect dialect)
    {
        _errors = new SyntaxErrors(template);
        _dialect = dialect;
        _tokens = Lexer.Read(source, _errors);
    }

    private Token Current => _tokens[_position];

    public TemplateBody ParseTemplate()
    {
        var root = _scope;
        var body = new TemplateBody(ParseBlock("", []), root);
        foreach (var name in _names)
        {
            name.Resolve();
        }

        return body;
    }

    private Token Next() => _tokens[_position].Kind == TokenKind.End ? _tokens[_position] : _tokens[_position++];

    private Token Look() => _tokens[Math.Min(_position + 1, _tokens.Count - 1)];

    private bool Skip(string operation)
    {
        var matches = Current.Is(operation);
        _position += matches ? 1 : 0;
        return matches;
    }

    private bool SkipName(string name)
    {
        var matches = Current.IsName(name);
        _position += matches ? 1 : 0;
        return matches;
    }

    private void Expect(string operation)
    {
        if (!Skip(operation))
        {
            throw Unexpected($"'{operation}'");
        }
    }

    private void ExpectName(string name)
    {
        if (!SkipName(name))
        {
            throw Unexpected($"'{name}'");
        }
    }

    private string ExpectAnyName(string what) => Current.Kind == TokenKind.Name ? Next().Text : throw Unexpected(what);

    private ChatTemplateException Unexpected(string expected) =>
        _errors.At(Current.Line, "", $"expected {expected}, found {Current.Describe()}");

    /// <summary>Goes one level deeper in the source; the caller takes it back.</summary>
    private void Nest()
    {
        if (++_nesting > ParseLimits.MaxNesting)
        {
            throw _errors.Limit(Current.Line, $"nested more than {ParseLimits.MaxNesting} levels deep");
        }
    }

    /// <summary>Passes a node on unless its tree has become too deep.</summary>
    private T Checked<T>(T node)
        where T : Node
    {
        return node.Depth <= ParseLimits.MaxTreeDepth
            ? node
            : throw _errors.Limit(node.Line, $"an expression or block has more than {ParseLimits.MaxTreeDepth} levels");
    }

    private Scope OpenScope() => _scope = new Scope(_scope);

    private void CloseScope() => _scope = _scope.Parent!;

    private NameExpression MakeName(string name, int line)
    {
        foreach (var macro in _macros)
        {
            macro.NoteUse(name);
        }

        var node = new NameExpression(name, _scope, line);
        _names.Add(node);
        return node;
    }

    /// <summary>The special names that an open macro's body has used.</summary>
    private sealed class MacroScope(Scope scope, HashSet<string> parameters)
    {
        public int? Caller { get; private set; }

        public int? Positional { get; private set; }

        public int? Named { get; private set; }

        public void NoteUse(string name)
        {
            if (parameters.Contains(name))
            {
                return;
            }

            switch (name)
            {
                case "caller":
                    Caller = scope.Declare(name);
                    break;
                case "varargs":
                    Positional = scope.Declare(name);
                    break;
                case "kwargs":
                    Named = scope.Declare(name);
                    break;
                default:
                    break;
            }
        }
    }
}
