using Google.Protobuf;
using Parallax.Contracts.V1;

namespace Parallax.Swarm.Members;

/// <summary>What a change of this worker's record asks for. Pure.</summary>
internal enum RecordNews
{
    /// <summary>Nothing is different.</summary>
    None,

    /// <summary>Figures moved (load, times, free KV): whoever asks gets them.</summary>
    Figures,

    /// <summary>What it serves, its phase or its addresses: everybody should know at once.</summary>
    Serving,
}

/// <summary>Compares what a worker says of itself with what it said before. Pure.</summary>
internal static class RecordChange
{
    /// <summary>What is new in <paramref name="now"/>; sequence numbers do not count.</summary>
    public static RecordNews Between(WorkerRecord? before, WorkerRecord now)
    {
        if (before is null || !Essence(before).Equals(Essence(now)))
        {
            return RecordNews.Serving;
        }

        var (old, present) = (before.Clone(), now.Clone());
        old.Sequence = present.Sequence = 0;
        return old.Equals(present) ? RecordNews.None : RecordNews.Figures;
    }

    /// <summary>A record without the figures that move with each request.</summary>
    private static WorkerRecord Essence(WorkerRecord record)
    {
        var essence = record.Clone();
        essence.Sequence = 0;
        essence.Load = null;
        essence.Rtts.Clear();
        foreach (var shard in essence.Shards)
        {
            shard.Sessions = shard.WaitingSessions = shard.LayersLoaded = 0;
            shard.KvTokensFree = 0;
            shard.PrefillMsPerToken = 0;
            shard.RestoreMsPerToken = 0;
            shard.DecodeSteps.Clear();
        }

        return essence;
    }

    /// <summary>A record's bytes.</summary>
    public static ReadOnlyMemory<byte> Serialise(IMessage message) => message.ToByteArray();
}
