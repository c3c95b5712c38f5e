namespace Parallax.Runtime.Models.Architectures;

/// <summary>How a kind of checkpoint names the parameters of a decoder.</summary>
internal interface ITensorNames
{
    TensorRef Embedding { get; }

    TensorRef FinalNorm { get; }

    TensorRef Head { get; }

    /// <summary>Whether the experts of a layer share one tensor per projection; otherwise each has its own.</summary>
    bool StackedExperts { get; }

    /// <summary>A parameter of a layer.</summary>
    TensorRef Layer(int layer, LayerTensor tensor, bool bias = false);

    /// <summary>A projection of one expert of a sparse layer.</summary>
    TensorRef Expert(int layer, int expert, LayerTensor tensor);
}

/// <summary>The parameters of a layer.</summary>
internal enum LayerTensor
{
    AttentionNorm,
    Query,
    Key,
    Value,
    Output,
    QueryNorm,
    KeyNorm,
    FeedForwardNorm,
    Gate,
    Up,
    Down,
    Router,
}
