namespace Parallax.Runtime.Weights;

/// <summary>The element types of safetensors.</summary>
internal static class SafetensorsDtypes
{
    /// <summary>Bits per element, or null for a type unknown to us (its extent cannot be checked).</summary>
    public static int? Bits(string dtype) => dtype switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "U16" or "I16" or "F16" or "BF16" => 16,
        "U32" or "I32" or "F32" => 32,
        "U64" or "I64" or "F64" or "C64" => 64,
        _ => null,
    };

    /// <summary>The weight format of a type, or null when weights of it are not supported.</summary>
    public static TensorFormat? Format(string dtype) => dtype switch
    {
        "F32" => TensorFormat.F32,
        "F16" => TensorFormat.F16,
        "BF16" => TensorFormat.BF16,
        _ => null,
    };
}
