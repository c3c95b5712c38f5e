using System.Collections.Frozen;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>
/// Reads rotary positions from config.json: <c>rope_theta</c> and <c>rope_scaling</c> (older files), or one object
/// <c>rope_parameters</c> (newer ones).
/// </summary>
internal static class HubRope
{
    private const double DefaultTheta = 10000.0;

    /// <summary>Written for every type by some versions; only llama3 (and types that are refused) computes with it.</summary>
    private static readonly FrozenSet<string> Neutral = FrozenSet.ToFrozenSet(["original_max_position_embeddings"], StringComparer.Ordinal);

    public static RopeSpec Read(HubFields config, int headDim)
    {
        var theta = config.OptionalPositive("rope_theta");
        var scaling = config.OptionalObject("rope_scaling");
        var parameters = config.OptionalObject("rope_parameters");
        if (scaling is not null && parameters is not null)
        {
            throw config.Refuse("rope_scaling", "is given beside rope_parameters; only one can hold");
        }

        var rope = new RopeSpec { Layout = RopeLayout.Halves, Theta = theta ?? DefaultTheta, RotaryDim = headDim };
        if ((scaling ?? parameters) is not { } fields)
        {
            return rope;
        }

        if (fields.OptionalPositive("rope_theta") is { } inner)
        {
            if (theta is not null && theta != inner)
            {
                throw fields.Refuse("rope_theta", $"is {inner}, but rope_theta is {theta}");
            }

            rope = rope with { Theta = inner };
        }

        if (fields.OptionalPositive("partial_rotary_factor") is { } rotated and not 1.0)
        {
            throw fields.Refuse("partial_rotary_factor", $"is {rotated}, supported is 1");
        }

        rope = Scaled(rope, fields);
        fields.RefuseUnread(Neutral, FrozenSet<string>.Empty);
        return rope;
    }

    private static RopeSpec Scaled(RopeSpec rope, HubFields fields)
    {
        if (!fields.Has("rope_type") && !fields.Has("type") && fields.Has("factor"))
        {
            throw fields.Refuse("rope_type", "the field is missing; supported are default, linear and llama3");
        }

        // "type" is the older name; files may hold both.
        var legacy = fields.OptionalText("type");
        var type = fields.OptionalText("rope_type") ?? legacy ?? "default";
        if (legacy is not null && legacy != type)
        {
            throw fields.Refuse("type", $"is {legacy}, but rope_type is {type}");
        }

        switch (type)
        {
            case "default":
                return rope;
            case "linear":
                return rope with { LinearFactor = fields.Positive("factor") };
            case "llama3":
                var scaling = new Llama3RopeScaling(
                    fields.Positive("factor"),
                    fields.Positive("low_freq_factor"),
                    fields.Positive("high_freq_factor"),
                    fields.Size("original_max_position_embeddings"));
                return scaling.HighFrequencyFactor > scaling.LowFrequencyFactor
                    ? rope with { Llama3Scaling = scaling }
                    : throw fields.Refuse("high_freq_factor", $"is {scaling.HighFrequencyFactor}, expected more than low_freq_factor ({scaling.LowFrequencyFactor})");
            default:
                throw fields.Refuse("rope_type", $"is {type}; supported are default, linear and llama3");
        }
    }
}
