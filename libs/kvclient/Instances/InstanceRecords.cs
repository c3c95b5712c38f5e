using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Statements;
using Parallax.Overlay;

namespace Parallax.KvClient.Instances;

/// <summary>What instances say of themselves in the overlay. It counts only when a key with the role kvcache signed it, whose own record it is.</summary>
internal static class InstanceRecords
{
    private const string Purpose = "kvcache";

    /// <summary>A record's value.</summary>
    public static byte[] Sign(SwarmCredentials credentials, KvInstanceRecord record, DateTimeOffset now) =>
        SignedStatements.Sign(credentials, Purpose, record.ToByteArray(), now);

    /// <summary>The instance that published a record; null when it is not to be believed.</summary>
    public static KvInstance? Read(SwarmCredentials credentials, FoundRecord found, DateTimeOffset now, out string problem)
    {
        if (SignedStatements.Read(credentials, Purpose, MemberRoles.KvCache, found.Value.Span, now, out problem) is not { } statement)
        {
            return null;
        }

        KvInstanceRecord record;
        try
        {
            record = KvInstanceRecord.Parser.ParseFrom(statement.Payload.Span);
        }
        catch (InvalidProtocolBufferException)
        {
            problem = "it is not readable";
            return null;
        }

        if (record.InstanceId != found.Publisher.ToString())
        {
            problem = "it is another one's";
            return null;
        }

        if (record.Addresses is not [var first, ..] || !Uri.TryCreate(first, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
        {
            problem = "it names no address";
            return null;
        }

        return new KvInstance(found.Publisher, address);
    }
}
