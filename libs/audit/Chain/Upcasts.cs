using System.Text.Json.Nodes;

namespace Parallax.Audit.Chain;

/// <summary>
/// Brings the data of events that older programs wrote up to date, one version at a time. Raising a type's version in
/// <see cref="AuditCodec"/> goes with a case here.
/// </summary>
internal static class Upcasts
{
    /// <summary>From one version of a type to the next.</summary>
    public static JsonObject Step(string type, int version, JsonObject data) => (type, version) switch
    {
        _ => throw new AuditFormatException($"Nothing is known of version {version} of the event '{type}'; it has {data.Count} fields."),
    };
}
