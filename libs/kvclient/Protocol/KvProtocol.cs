using Google.Protobuf;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.KvBlocks.Buffers;

namespace Parallax.KvClient.Protocol;

/// <summary>
/// The calls of <c>contracts/Protos/parallax/v1/kvcache.proto</c>, of which those that carry parts are read and written by
/// <see cref="PartCodec"/> in place of the generated code. On the wire there is no difference.
/// </summary>
internal sealed class KvProtocol
{
    public const string ServiceName = "parallax.v1.KvCache";

    /// <param name="rent">Gives buffers for parts that are received.</param>
    public KvProtocol(Func<int, PartBuffer> rent)
    {
        var puts = new Marshaller<PutFrame>(
            static (frame, context) => WriteFrame(frame.Part, frame.Control, KvPutRequest.PartFieldNumber, context),
            context => Read(
                context,
                message => PartCodec.Read(message, KvPutRequest.PartFieldNumber, rent) is { } part
                    ? new PutFrame(null, part)
                    : KvPutRequest.Parser.ParseFrom(message) is { Part: null } control ? new PutFrame(control, null) : throw new InvalidDataException("A part stands alone.")));
        var gets = new Marshaller<GetFrame>(
            static (frame, context) => WriteFrame(frame.Part, frame.Part is null ? new KvGetReply() : null, KvGetReply.PartFieldNumber, context),
            context => Read(context, message => new GetFrame(PartCodec.Read(message, KvGetReply.PartFieldNumber, rent))));
        Put = new Method<PutFrame, KvPutReply>(MethodType.DuplexStreaming, ServiceName, "Put", puts, Of(KvPutReply.Parser));
        Get = new Method<KvGetRequest, GetFrame>(MethodType.ServerStreaming, ServiceName, "Get", Of(KvGetRequest.Parser), gets);
        Lookup = new Method<KvLookupRequest, KvLookupReply>(MethodType.Unary, ServiceName, "Lookup", Of(KvLookupRequest.Parser), Of(KvLookupReply.Parser));
        Stat = new Method<KvStatRequest, KvStatReply>(MethodType.Unary, ServiceName, "Stat", Of(KvStatRequest.Parser), Of(KvStatReply.Parser));
    }

    public Method<PutFrame, KvPutReply> Put { get; }

    public Method<KvGetRequest, GetFrame> Get { get; }

    public Method<KvLookupRequest, KvLookupReply> Lookup { get; }

    public Method<KvStatRequest, KvStatReply> Stat { get; }

    private static Marshaller<T> Of<T>(MessageParser<T> parser)
        where T : class, IMessage<T> => new(
            static (message, context) => WriteMessage(message, context),
            context => Read(context, message => parser.ParseFrom(message)));

    private static void WriteFrame(PartFrame? part, IMessage? other, int field, SerializationContext context)
    {
        if (part is null)
        {
            WriteMessage(other!, context);
            return;
        }

        context.SetPayloadLength(PartCodec.Measure(part));
        PartCodec.Write(field, part, context.GetBufferWriter());
        context.Complete();
    }

    private static void WriteMessage(IMessage message, SerializationContext context)
    {
        context.SetPayloadLength(message.CalculateSize());
        message.WriteTo(context.GetBufferWriter());
        context.Complete();
    }

    private static T Read<T>(DeserializationContext context, Func<System.Buffers.ReadOnlySequence<byte>, T> read)
    {
        try
        {
            return read(context.PayloadAsReadOnlySequence());
        }
        catch (Exception e) when (e is InvalidDataException or InvalidProtocolBufferException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }
}
