using System.Collections.Frozen;

namespace Parallax.Runtime.Models;

/// <summary>
/// The fields of a configuration that cannot change what the model computes, so that they need not be understood.
/// Whoever adds one states here why.
/// </summary>
internal static class NeutralFields
{
    /// <summary>Fields of config.json.</summary>
    public static FrozenSet<string> Hub { get; } = FrozenSet.ToFrozenSet(
        [

            // Training only: initial weights, dropout, losses, memory.
            "initializer_range", "attention_dropout", "hidden_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop",
            "router_aux_loss_coef", "router_jitter_noise", "gradient_checkpointing", "use_bfloat16",

            // What a Python call returns or caches.
            "use_cache", "cache_implementation", "output_router_logits", "output_attentions", "output_hidden_states", "return_dict",
            "use_return_dict", "torchscript", "chunk_size_feed_forward", "_attn_implementation", "attn_implementation",
            "_attn_implementation_autoset",

            // The same sum computed in slices (tensor parallelism of training).
            "pretraining_tp",

            // Where the files came from and who wrote them; the tensors state their own types.
            "_name_or_path", "name_or_path", "transformers_version", "torch_dtype", "dtype", "auto_map", "tokenizer_class",
            "unsloth_fixed", "unsloth_version", "is_llama_config", "transformers.js_config", "_commit_hash", "model_max_length", "max_sequence_length",

            // Tokens: the tokenizer and the generation defaults read them.
            "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "decoder_start_token_id",

            // Heads of other tasks, which are not computed.
            "id2label", "label2id", "num_labels", "problem_type", "finetuning_task", "task_specific_params", "is_decoder",
            "pruned_heads", "tie_encoder_decoder", "cross_attention_hidden_size", "tf_legacy_loss",

            // Sampling defaults, which old configurations hold; requests state their own.
            "do_sample", "temperature", "top_k", "top_p", "typical_p", "max_length", "min_length", "early_stopping",
            "num_beams", "num_beam_groups", "diversity_penalty", "repetition_penalty", "length_penalty",
            "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
            "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
            "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "prefix",
        ],
        StringComparer.Ordinal);

    /// <summary>Switches in config.json of features that some architectures have; an architecture that has one reads it.</summary>
    public static FrozenSet<string> HubWhenFalse { get; } = FrozenSet.ToFrozenSet(
        [
            "attention_bias", "mlp_bias", "use_qk_norm", "use_sliding_window", "rope_interleaved", "use_mrope",
            "is_encoder_decoder", "add_cross_attention",
        ],
        StringComparer.Ordinal);

    /// <summary>Metadata keys of a GGUF file's architecture, without its name.</summary>
    public static FrozenSet<string> Gguf { get; } = FrozenSet.ToFrozenSet(
        [

            // How the context was extended in training; only yarn's arithmetic, which is refused, uses it.
            "rope.scaling.original_context_length", "rope.scaling.finetuned",

            // How the original checkpoint was laid out; the file's tensors are in GGUF's layout.
            "tensor_data_layout",
        ],
        StringComparer.Ordinal);

    /// <summary>Switches among those keys of features that no supported architecture has.</summary>
    public static FrozenSet<string> GgufWhenFalse { get; } = FrozenSet.ToFrozenSet(["use_parallel_residual"], StringComparer.Ordinal);
}
