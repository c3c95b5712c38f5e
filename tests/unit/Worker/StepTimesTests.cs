using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.UnitTests.Worker;

public class StepTimesTests
{
    [Fact]
    public void Write_ReplacesWhatStoodThere()
    {
        var shard = new ServingShard { PrefillMsPerToken = 9, DecodeSteps = { new StepTime { Batch = 64, Milliseconds = 1 } } };

        StepTimes.Write(new EngineStats { DecodeSteps = [new(1, 2.5), new(8, 4)], PrefillMsPerToken = 0.5, RestoreMsPerToken = 0.1 }, shard);

        Assert.Equal(
            new ServingShard
            {
                PrefillMsPerToken = 0.5,
                RestoreMsPerToken = 0.1,
                DecodeSteps = { new StepTime { Batch = 1, Milliseconds = 2.5 }, new StepTime { Batch = 8, Milliseconds = 4 } },
            },
            shard);
    }
}
