namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Evaluated arguments of a call.</summary>
internal readonly struct CallArguments(TemplateValue[] positional, NamedArgument[] named)
{
    public static CallArguments None { get; } = new([], []);

    public TemplateValue[] Positional { get; } = positional;

    public NamedArgument[] Named { get; } = named;

    /// <summary>One value per parameter of the signature; missing where nothing was passed.</summary>
    public TemplateValue[] Bind(RenderState state, Signature signature)
    {
        var names = signature.Names;
        if (Positional.Length > names.Length)
        {
            throw state.Fail($"{signature.Owner} takes at most {names.Length} arguments, got {Positional.Length}");
        }

        var bound = new TemplateValue[names.Length];
        Positional.CopyTo(bound, 0);
        foreach (var argument in Named)
        {
            var index = Array.IndexOf(names, argument.Name);
            if (index < 0)
            {
                throw state.Fail($"{signature.Owner} has no parameter '{argument.Name}'");
            }

            if (!bound[index].IsMissing)
            {
                throw state.Fail($"{signature.Owner} got two values for '{argument.Name}'");
            }

            bound[index] = argument.Value;
        }

        for (var i = 0; i < signature.Required; i++)
        {
            if (bound[i].IsMissing)
            {
                throw state.Fail($"{signature.Owner} needs the argument '{names[i]}'");
            }
        }

        return bound;
    }

    /// <summary>The arguments after the first <paramref name="count"/> positional ones.</summary>
    public CallArguments Skip(int count) => new(Positional[Math.Min(count, Positional.Length)..], Named);

    public TemplateValue? FindNamed(string name)
    {
        foreach (var argument in Named)
        {
            if (argument.Name == name)
            {
                return argument.Value;
            }
        }

        return null;
    }
}
