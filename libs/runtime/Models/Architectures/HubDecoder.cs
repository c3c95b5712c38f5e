namespace Parallax.Runtime.Models.Architectures;

/// <summary>Reads what config.json files of the Llama family have in common.</summary>
internal static class HubDecoder
{
    /// <param name="config">The configuration.</param>
    /// <param name="absentKvHeads">Key/value heads where the field is absent; null: as many as heads. (A null field always means that.)</param>
    /// <param name="absentHeadDim">Elements per head where the field is absent; null: hidden size / heads.</param>
    public static DecoderOutline Read(HubFields config, int? absentKvHeads = null, int? absentHeadDim = null)
    {
        RefuseOtherModels(config);
        var hidden = config.Size("hidden_size");
        var heads = config.Size("num_attention_heads");
        var kvHeads = config.Size("num_key_value_heads", config.IsNull("num_key_value_heads") ? heads : absentKvHeads ?? heads);
        if (heads % kvHeads != 0)
        {
            throw config.Refuse("num_key_value_heads", $"is {kvHeads}, which does not divide num_attention_heads ({heads})");
        }

        var headDim = config.OptionalSize("head_dim") ?? absentHeadDim ?? Divided(config, hidden, heads);
        if (headDim % 2 != 0)
        {
            throw config.Refuse("head_dim", $"is {headDim}, expected an even number (rotary pairs)");
        }

        return new DecoderOutline
        {
            VocabularySize = config.Size("vocab_size"),
            HiddenSize = hidden,
            LayerCount = config.Size("num_hidden_layers"),
            MaxPositions = config.Size("max_position_embeddings"),
            NormEpsilon = (float)(config.OptionalPositive("rms_norm_eps") ?? 1e-6),
            TiedHead = config.Flag("tie_word_embeddings", false),
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            Rope = HubRope.Read(config, headDim),
            IntermediateSize = config.Size("intermediate_size"),
        };
    }

    private static int Divided(HubFields config, int hidden, int heads) =>
        hidden % heads == 0 ? hidden / heads : throw config.Refuse("num_attention_heads", $"is {heads}, which does not divide hidden_size ({hidden}), and head_dim is not given");

    /// <summary>Refuses what has the family's fields but computes something else.</summary>
    private static void RefuseOtherModels(HubFields config)
    {
        foreach (var quantization in (string[])["quantization_config", "quantization", "compression_config"])
        {
            if (config.OptionalObject(quantization) is { } method)
            {
                throw config.Refuse(quantization, $"quantised checkpoints ({method.OptionalText("quant_method") ?? "unnamed method"}) are not supported; use an unquantised one or a GGUF file");
            }
        }

        foreach (var name in config.OptionalTexts("architectures") ?? [])
        {
            if (!name.EndsWith("ForCausalLM", StringComparison.Ordinal))
            {
                throw config.Refuse("architectures", $"is {name}; only text generation (...ForCausalLM) is supported");
            }
        }

        if (config.OptionalText("hidden_act") is { } activation and not ("silu" or "swish"))
        {
            throw config.Refuse("hidden_act", $"is {activation}, supported is silu");
        }

        if (config.OptionalPositive("partial_rotary_factor") is { } factor and not 1.0)
        {
            throw config.Refuse("partial_rotary_factor", $"is {factor}, supported is 1");
        }
    }
}
