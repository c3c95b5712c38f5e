using System.Collections.Frozen;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>
/// A model's configuration as named fields, remembering which were read: what an architecture does not read must be
/// known not to change the result, otherwise the model is refused. A field whose value is null counts as absent.
/// </summary>
internal abstract class ConfigFields
{
    /// <summary>No dimension of a real model comes near it; products of two stay far from overflow.</summary>
    private const long MaxSize = 1 << 28;

    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    protected ConfigFields(string file) => File = file;

    /// <summary>The file, for messages.</summary>
    public string File { get; }

    /// <summary>The names of all fields that have a value.</summary>
    protected abstract IEnumerable<string> Names { get; }

    /// <summary>Whether the field is there and has a value.</summary>
    public abstract bool Has(string name);

    /// <summary>A count or dimension of 1 or more that must be given.</summary>
    public int Size(string name) => OptionalSize(name) ?? throw Refuse(name, "the field is missing");

    /// <summary>A count or dimension of 1 or more, or <paramref name="absent"/>.</summary>
    public int Size(string name, int absent) => OptionalSize(name) ?? absent;

    /// <summary>A count or dimension of 1 or more, or null when absent.</summary>
    public int? OptionalSize(string name) => Has(name) ? (int)Integer(name, 1, MaxSize) : null;

    /// <summary>A whole number of 0 or more, or <paramref name="absent"/>.</summary>
    public int Count(string name, int absent) => Has(name) ? (int)Integer(name, 0, MaxSize) : absent;

    /// <summary>A number above 0 that must be given.</summary>
    public double Positive(string name) => OptionalPositive(name) ?? throw Refuse(name, "the field is missing");

    /// <summary>A number above 0, or null when absent.</summary>
    public double? OptionalPositive(string name)
    {
        if (!Has(name))
        {
            return null;
        }

        var value = ReadNumber(Mark(name));
        return double.IsFinite(value) && value > 0 ? value : throw Refuse(name, $"is {value}, expected a number above 0");
    }

    /// <summary>Any number, or null when absent.</summary>
    public double? OptionalNumber(string name) => Has(name) ? ReadNumber(Mark(name)) : null;

    /// <summary>True or false, or <paramref name="absent"/>.</summary>
    public bool Flag(string name, bool absent) => Has(name) ? ReadBoolean(Mark(name)) : absent;

    /// <summary>A text, or null when absent.</summary>
    public string? OptionalText(string name) => Has(name) ? ReadText(Mark(name)) : null;

    /// <summary>A flag of which only one value is supported; absent means that value.</summary>
    public void Demand(string name, bool expected)
    {
        if (Flag(name, expected) != expected)
        {
            throw Refuse(name, $"is {(expected ? "false" : "true")}, which is not supported");
        }
    }

    /// <summary>Refuses the model if a field was neither read nor listed as without effect on results.</summary>
    /// <param name="neutral">Fields without effect whatever their value.</param>
    /// <param name="neutralWhenFalse">Switches of features that the architecture lacks: without effect when off.</param>
    public void RefuseUnread(FrozenSet<string> neutral, FrozenSet<string> neutralWhenFalse)
    {
        foreach (var name in Names)
        {
            if (!_read.Contains(name) && !neutral.Contains(name) && !(neutralWhenFalse.Contains(name) && !ReadBoolean(name)))
            {
                throw Refuse(name, "the field is not supported for this architecture, and ignoring it could change the model's results");
            }
        }
    }

    /// <summary>The error for a field.</summary>
    public virtual ModelFormatException Refuse(string name, string problem) => new(File, problem, name);

    /// <summary>Remembers that the field was read.</summary>
    protected string Mark(string name)
    {
        _read.Add(name);
        return name;
    }

    protected abstract long ReadInteger(string name);

    protected abstract double ReadNumber(string name);

    protected abstract bool ReadBoolean(string name);

    protected abstract string ReadText(string name);

    private long Integer(string name, long least, long most)
    {
        var value = ReadInteger(Mark(name));
        return value >= least && value <= most ? value : throw Refuse(name, $"is {value}, expected a whole number of {least} to {most}");
    }
}
