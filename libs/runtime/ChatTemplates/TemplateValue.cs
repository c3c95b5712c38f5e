using System.Numerics;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates;

/// <summary>
/// A value that a template works with: one of Python's basic types. Immutable. The default is an undefined value,
/// which a template sees as if the name had not been given.
/// </summary>
public readonly partial struct TemplateValue
{
    // Reference: string, TemplateValue[], MapValue, TemplateObject, a boxed BigInteger (integers beyond 64 bits) or
    // an UndefinedOrigin. Bits: the integer, the boolean, the float's bits; 1 for text marked as safe markup.
    private readonly object? _reference;
    private readonly long _bits;

    private TemplateValue(ValueKind kind, object? reference, long bits)
    {
        Kind = kind;
        _reference = reference;
        _bits = bits;
    }

    /// <summary>Python's None, JSON's null.</summary>
    public static TemplateValue None { get; } = new(ValueKind.None, null, 0);

    internal static TemplateValue True { get; } = new(ValueKind.Boolean, null, 1);

    internal static TemplateValue False { get; } = new(ValueKind.Boolean, null, 0);

    internal static TemplateValue EmptyText { get; } = new(ValueKind.Text, "", 0);

    internal ValueKind Kind { get; }

    /// <summary>A text.</summary>
    public static TemplateValue From(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new TemplateValue(ValueKind.Text, text, 0);
    }

    /// <summary>True or false.</summary>
    public static TemplateValue From(bool value) => value ? True : False;

    /// <summary>An integer.</summary>
    public static TemplateValue From(long value) => new(ValueKind.Integer, null, value);

    /// <summary>A floating-point number.</summary>
    public static TemplateValue From(double value) => new(ValueKind.Float, null, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A list.</summary>
    public static TemplateValue FromList(IEnumerable<TemplateValue> items) => List([.. items]);

    /// <summary>A mapping from texts, in the given order; of equal keys the last value counts.</summary>
    public static TemplateValue FromMap(IEnumerable<KeyValuePair<string, TemplateValue>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var map = new MapValue();
        foreach (var (key, value) in entries)
        {
            map.Set(From(key), value);
        }

        return Map(map);
    }

    internal static TemplateValue List(TemplateValue[] items) => new(ValueKind.List, items, 0);

    internal static TemplateValue Tuple(params TemplateValue[] items) => new(ValueKind.Tuple, items, 0);

    internal static TemplateValue Map(MapValue map) => new(ValueKind.Map, map, 0);

    internal static TemplateValue Object(TemplateObject value) => new(ValueKind.Object, value, 0);

    internal static TemplateValue Markup(string text) => new(ValueKind.Text, text, 1);

    internal static TemplateValue Text(string text, bool markup) => new(ValueKind.Text, text, markup ? 1 : 0);

    internal static TemplateValue Undefined(UndefinedOrigin origin) => new(ValueKind.Undefined, origin, 0);

    internal static TemplateValue From(BigInteger value) =>
        value >= long.MinValue && value <= long.MaxValue
            ? From((long)value)
            : new TemplateValue(ValueKind.Integer, value, 0);

    internal bool IsMissing => Kind == ValueKind.Missing;

    internal bool IsUndefined => Kind <= ValueKind.Undefined;

    internal bool IsText => Kind == ValueKind.Text;

    internal bool IsMarkup => Kind == ValueKind.Text && _bits != 0;

    internal bool IsNumber => Kind is ValueKind.Integer or ValueKind.Float or ValueKind.Boolean;

    /// <summary>Integers and booleans, which Python counts among them.</summary>
    internal bool IsIntegral => Kind is ValueKind.Integer or ValueKind.Boolean;

    internal bool IsSmallIntegral => IsIntegral && _reference is null;

    internal bool IsArray => Kind is ValueKind.List or ValueKind.Tuple;

    internal string AsText => (string)_reference!;

    internal bool AsBoolean => _bits != 0;

    /// <summary>The integer, if <see cref="IsSmallIntegral"/>.</summary>
    internal long AsLong => _bits;

    internal BigInteger AsBig => _reference is BigInteger big ? big : _bits;

    internal double AsFloat => BitConverter.Int64BitsToDouble(_bits);

    internal TemplateValue[] AsArray => (TemplateValue[])_reference!;

    internal MapValue AsMap => (MapValue)_reference!;

    internal TemplateObject AsObject => (TemplateObject)_reference!;

    internal object? Reference => _reference;

    internal UndefinedOrigin Origin => _reference as UndefinedOrigin ?? UndefinedOrigin.Unknown;

    /// <summary>Python's name of the type, for messages.</summary>
    internal string TypeName => Kind switch
    {
        ValueKind.None => "None",
        ValueKind.Boolean => "bool",
        ValueKind.Integer => "int",
        ValueKind.Float => "float",
        ValueKind.Text => "str",
        ValueKind.List => "list",
        ValueKind.Tuple => "tuple",
        ValueKind.Map => "dict",
        ValueKind.Object => AsObject.TypeName,
        _ => "undefined",
    };
}
