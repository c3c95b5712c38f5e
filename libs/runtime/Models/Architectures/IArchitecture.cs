using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>An architecture that checkpoints in the hub's layout name in <c>model_type</c>.</summary>
internal interface IHubArchitecture
{
    /// <summary>The value of <c>model_type</c>.</summary>
    string HubName { get; }

    /// <summary>Reads every field of config.json that changes the result.</summary>
    DecoderOutline FromHub(HubFields config);
}

/// <summary>An architecture that GGUF files name in <c>general.architecture</c>.</summary>
internal interface IGgufArchitecture
{
    /// <summary>The value of <c>general.architecture</c>, the prefix of its metadata keys.</summary>
    string GgufName { get; }

    /// <summary>Reads every metadata field that changes the result.</summary>
    DecoderOutline FromGguf(GgufFields metadata, TensorTable tensors);
}
