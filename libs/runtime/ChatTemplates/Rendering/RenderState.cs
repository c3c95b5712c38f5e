using System.Runtime.CompilerServices;
using Parallax.Runtime.ChatTemplates.Nodes;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>All that one rendering owns: its values, its output, and what is left of its limits.</summary>
internal sealed class RenderState : IDisposable
{
    // An item is a 24-byte value; sizes are counted in characters of two bytes.
    private const int ItemSize = 12;
    private const int ObjectSize = 16;

    private readonly string _template;
    private readonly RenderLimits _limits;
    private readonly Stack<TextBuffer> _spare = new();
    private readonly TextBuffer _rendered = new(isOutput: true);
    private long _stepsLeft;
    private long _sizeLeft;
    private int _depth;

    public RenderState(
        string template, IReadOnlyDictionary<string, TemplateValue> values, RenderLimits limits, TimeProvider clock)
    {
        _template = template;
        _limits = limits;
        _stepsLeft = limits.MaxSteps;
        _sizeLeft = limits.MaxIntermediateSize;
        Values = values;
        Clock = clock;
        Output = _rendered;
    }

    public IReadOnlyDictionary<string, TemplateValue> Values { get; }

    public TimeProvider Clock { get; }

    /// <summary>Where statements write: the rendered text, or the innermost capture.</summary>
    public TextBuffer Output { get; set; }

    public Frame Frame { get; set; } = null!;

    /// <summary>The node whose operation runs now; errors name it.</summary>
    public Node? Current { get; set; }

    /// <summary>Counts one step, and makes the node the one that errors name.</summary>
    public void Step(Node node)
    {
        Current = node;
        if (--_stepsLeft < 0)
        {
            throw StepsExceeded();
        }
    }

    /// <summary>Counts the steps of an operation over many items.</summary>
    public void Charge(long steps)
    {
        _stepsLeft -= steps;
        if (_stepsLeft < 0)
        {
            throw StepsExceeded();
        }
    }

    /// <summary>Counts a scan over a text: vectorised, so 32 characters are a step.</summary>
    public void ChargeScan(long characters) => Charge(characters >> 5);

    /// <summary>Counts characters of an intermediate text before it is built.</summary>
    public void Allocate(long characters)
    {
        _sizeLeft -= characters;
        if (_sizeLeft < 0)
        {
            throw Fail(
                ChatTemplateFault.Limit,
                $"intermediate values exceed the limit of {_limits.MaxIntermediateSize} characters in all");
        }
    }

    /// <summary>Counts the items of a list, tuple or mapping before it is built.</summary>
    public void AllocateItems(long count)
    {
        Charge(count);
        Allocate(ObjectSize + (count * ItemSize));
    }

    /// <summary>A counted array for the items of a list or tuple.</summary>
    public TemplateValue[] NewArray(int count)
    {
        AllocateItems(count);
        return count == 0 ? [] : new TemplateValue[count];
    }

    /// <summary>Goes deeper by a number of levels; <see cref="Leave"/> takes them back.</summary>
    public void Enter(int levels)
    {
        _depth += levels;
        if (_depth > _limits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Fail(ChatTemplateFault.Limit, $"nested too deeply (limit {_limits.MaxDepth} levels)");
        }
    }

    public void Leave(int levels) => _depth -= levels;

    public void CheckOutput(long length)
    {
        if (length > _limits.MaxOutputLength)
        {
            throw Fail(
                ChatTemplateFault.Limit, $"the rendered text exceeds the limit of {_limits.MaxOutputLength} characters");
        }
    }

    /// <summary>A buffer for a text that is built on the way; give it back with <see cref="Return"/>.</summary>
    public TextBuffer Rent() => _spare.TryPop(out var buffer) ? buffer : new TextBuffer(isOutput: false);

    /// <summary>Takes the text out of a rented buffer and keeps the buffer for the next.</summary>
    public string Return(TextBuffer buffer)
    {
        var text = buffer.ToString();
        buffer.Clear();
        _spare.Push(buffer);
        return text;
    }

    public ChatTemplateException Fail(string problem) => Fail(ChatTemplateFault.Evaluation, problem);

    public ChatTemplateException Fail(ChatTemplateFault fault, string problem) =>
        new(fault, _template, Current?.Line ?? 0, Current?.Construct ?? "", problem);

    /// <summary>The error of using an undefined value.</summary>
    public ChatTemplateException FailUndefined(TemplateValue value) => Fail(value.Origin.Message);

    /// <summary>Returns pooled memory. Buffers that an error left half-filled go to the garbage collector.</summary>
    public void Dispose()
    {
        _rendered.Dispose();
        while (_spare.TryPop(out var buffer))
        {
            buffer.Dispose();
        }
    }

    private ChatTemplateException StepsExceeded() =>
        Fail(ChatTemplateFault.Limit, $"rendering exceeds the limit of {_limits.MaxSteps} steps");
}
