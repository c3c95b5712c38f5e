using Parallax.Pipeline.Batching;
using Parallax.Testing;

namespace Parallax.UnitTests.Pipeline.Batching;

/// <summary>The tuner against formulas of what a ring yields; against a simulated ring see PipelineSimulationTests.</summary>
public class MicroBatchTunerTests
{
    [Theory]
    [InlineData(4, 1, 1)]
    [InlineData(4, 3, 3)]
    [InlineData(4, 40, 4)]
    [InlineData(1, 40, 1)]
    public void M_NothingMeasured_IsTheStages(int stages, int decoding, int expected)
    {
        Assert.Equal(expected, new MicroBatchTuner(stages).M(decoding));
    }

    [Fact]
    public void M_NobodyDecodes_IsOne() => Assert.Equal(1, new MicroBatchTuner(4).M(0));

    [Theory]
    [InlineData(2, 8)]
    [InlineData(3, 7)]
    [InlineData(4, 32)]
    [InlineData(6, 24)]
    [InlineData(6, 64)]
    public void OnTokens_OwnMachines_ConvergesToAtLeast95Percent(int stages, int decoding) =>
        CheckBest(stages, decoding, OwnMachines(stages, 4, 0.3, link: 0.2), windows: 40, share: 0.95);

    [Theory]
    [InlineData(2, 8)]
    [InlineData(4, 16)]
    [InlineData(6, 5)]
    public void OnTokens_SharedCores_ConvergesToOne(int stages, int decoding)
    {
        var drive = new Drive(stages, decoding, SharedCores(stages, 4, 0.3));
        drive.Windows(20);

        Assert.Equal(1, drive.Settled);
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(4, 16)]
    [InlineData(3, 32)]
    public void OnTokens_LongLinks_ConvergesTo95Percent(int stages, int decoding) =>
        CheckBest(stages, decoding, OwnMachines(stages, 4, 0.3, link: 50), windows: 40, share: 0.95);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void OnTokens_NoisyRates_StaysWithin10Percent(int seed)
    {
        (int Stages, int Decoding, Func<int, int, double> Model)[] cases =
        [
            (2, 8, OwnMachines(2, 4, 0.3, 0.2)), (4, 32, OwnMachines(4, 4, 0.3, 5)), (6, 24, OwnMachines(6, 4, 0.3, 0.2)), (4, 16, SharedCores(4, 4, 0.3)),
        ];
        foreach (var (stages, decoding, model) in cases)
        {
            var drive = new Drive(stages, decoding, model) { Noise = 0.1, Random = new Random(seed) };
            drive.Windows(60);
            Assert.InRange(drive.AverageRate(300), 0.9 * Best(stages, decoding, model), double.MaxValue);
        }
    }

    [Fact]
    public void OnTokens_NothingBetter_TrialsBecomeRare()
    {
        // All M are equal: no trial succeeds.
        var drive = new Drive(4, 16, static (_, _) => 100);
        drive.Windows(300);
        var trials = drive.CountTrials(512);

        Assert.InRange(trials, 16, 40);
    }

    [Fact]
    public void OnTokens_RingChanges_IsTunedAnewSoon()
    {
        var drive = new Drive(4, 16, OwnMachines(4, 4, 0.3, link: 0.2));
        drive.Windows(400);
        Assert.InRange(drive.Settled, 4, 6);

        // The path's machines are one now.
        drive.Model = SharedCores(4, 4, 0.3);
        drive.Windows(40);
        Assert.Equal(1, drive.Settled);
    }

    [Fact]
    public void M_AnotherBucket_EachKeepsItsOwn()
    {
        var drive = new Drive(4, 16, SharedCores(4, 4, 0.3));
        drive.Windows(20);
        Assert.Equal(1, drive.Tuner.M(16));
        Assert.Equal(4, drive.Tuner.M(32));
        Assert.Equal(1, drive.Tuner.M(9));
        Assert.Equal(4, drive.Tuner.M(8));
        Assert.Equal(1, drive.Tuner.M(16));
    }

    [Fact]
    public void OnTokens_SessionCountKeepsChanging_NothingIsMeasured()
    {
        var tuner = new MicroBatchTuner(4);
        var now = TimeSpan.Zero;
        for (var i = 0; i < 5000; i++)
        {
            // 12 to 15 sessions, a session comes or goes every seven rounds: no window is whole.
            var decoding = 12 + (i / 7 % 4);
            now += TimeSpan.FromMilliseconds(100);
            tuner.OnTokens(decoding, decoding, now);
            Assert.Equal(4, tuner.M(decoding));
        }
    }

    [Fact]
    public void NotePrefill_DuringATrial_PutsItOff()
    {
        var drive = new Drive(4, 16, OwnMachines(4, 4, 0.3, link: 0.2));
        while (drive.Tuner.M(16) == 4)
        {
            drive.Windows(1);
        }

        Assert.Equal(1, drive.Tuner.M(16));
        drive.Tuner.NotePrefill();
        Assert.Equal(4, drive.Tuner.M(16));
        drive.Windows(2);
        Assert.Equal(1, drive.Tuner.M(16));
    }

    [Fact]
    public void M_WhilePromptsAreComputed_IsNoMoreThanTheStages()
    {
        // Groups of a row are the best here.
        var drive = new Drive(2, 8, static (m, _) => 100 * m);
        drive.Windows(60);
        Assert.Equal(4, drive.Tuner.M(8));

        drive.Tuner.NotePrefill();
        Assert.Equal(2, drive.Tuner.M(8));
        drive.Windows(1);
        Assert.Equal(4, drive.Tuner.M(8));
    }

    [Fact]
    public void NotePrefill_DuringAWindow_DiscardsIt()
    {
        var tuner = new MicroBatchTuner(4);
        var now = TimeSpan.Zero;
        for (var i = 0; i < 5000; i++)
        {
            now += TimeSpan.FromMilliseconds(100);
            tuner.OnTokens(16, 16, now);
            if (i % 7 == 0)
            {
                tuner.NotePrefill();
            }

            Assert.Equal(4, tuner.M(16));
        }
    }

    [Fact]
    public void OnTokens_GroupsOfARoundUnevenlySpaced_TheRateIsExact()
    {
        // 3 groups of 4, 4 and 2 tokens that come back 1, 2 and 30 ms after each other: no trial of a model whose rates
        // are all equal may look better, wherever in a round its window begins.
        var tuner = new MicroBatchTuner(3);
        var now = TimeSpan.Zero;
        var elsewhere = 0;
        for (var i = 0; i < 100_000; i++)
        {
            now += TimeSpan.FromMilliseconds((i % 3) switch { 0 => 1, 1 => 2, _ => 30 });
            for (var token = 0; token < (i % 3 == 2 ? 2 : 4); token++)
            {
                tuner.OnTokens(1, 10, now);
            }

            elsewhere += i > 50_000 && tuner.M(10) != 3 ? 1 : 0;
        }

        // Only its trials, four after 64 windows.
        Assert.InRange(elsewhere, 1, 5000);
    }

    [Fact]
    public void OnTokens_SteadyState_AllocatesNothing()
    {
        var tuner = new MicroBatchTuner(4);
        var now = TimeSpan.Zero;
        Assert.Equal(0, Allocations.OfWarm(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                now += TimeSpan.FromMilliseconds(3);
                tuner.OnTokens(4, 16, now);
                tuner.M(16);
            }
        }));
    }

    private static void CheckBest(int stages, int decoding, Func<int, int, double> model, int windows, double share)
    {
        var drive = new Drive(stages, decoding, model);
        drive.Windows(windows);
        Assert.InRange(model(drive.Settled, decoding), share * Best(stages, decoding, model), double.MaxValue);
    }

    private static double Best(int stages, int decoding, Func<int, int, double> model) =>
        Enumerable.Range(1, Math.Min(2 * stages, decoding)).Max(m => model(m, decoding));

    /// <summary>Tokens per second: a group's way around the ring, or the stage that computes all groups in turn.</summary>
    private static Func<int, int, double> OwnMachines(int stages, double fix, double perRow, double link) => (m, decoding) =>
    {
        var size = (decoding + m - 1) / m;
        var groups = (decoding + size - 1) / size;
        var step = fix + (perRow * size);
        return 1000 * decoding / Math.Max(stages * (step + link), groups * step);
    };

    /// <summary>All stages' steps one after another.</summary>
    private static Func<int, int, double> SharedCores(int stages, double fix, double perRow) => (m, decoding) =>
    {
        var size = (decoding + m - 1) / m;
        var groups = (decoding + size - 1) / size;
        return 1000 * decoding / (groups * stages * (fix + (perRow * size)));
    };

    private sealed class Drive(int stages, int decoding, Func<int, int, double> model)
    {
        private TimeSpan _now;

        public MicroBatchTuner Tuner { get; } = new(stages);

        public Func<int, int, double> Model { get; set; } = model;

        public double Noise { get; init; }

        public Random Random { get; init; } = new(1);

        /// <summary>The M that was used most in the last <see cref="Windows"/>' second half.</summary>
        public int Settled { get; private set; }

        /// <summary>Sends tokens until the tuner must have seen this many windows.</summary>
        public void Windows(int count)
        {
            var used = new Dictionary<int, int>();
            for (var i = 0; i < count; i++)
            {
                var m = Window();
                if (i >= count / 2)
                {
                    used[m] = used.GetValueOrDefault(m) + 1;
                }
            }

            Settled = used.MaxBy(pair => pair.Value).Key;
        }

        public double AverageRate(int windows)
        {
            var began = _now;
            var tokens = 0L;
            for (var i = 0; i < windows; i++)
            {
                Window(ref tokens);
            }

            return tokens / (_now - began).TotalSeconds;
        }

        public int CountTrials(int windows)
        {
            var trials = 0;
            var before = Tuner.M(decoding);
            for (var i = 0; i < windows; i++)
            {
                var m = Window();
                trials += m != Settled && m != before ? 1 : 0;
                before = m;
            }

            return trials;
        }

        private int Window()
        {
            var tokens = 0L;
            return Window(ref tokens);
        }

        /// <summary>A window and, after a change, the rounds before it; each with a rate of its own.</summary>
        private int Window(ref long tokens)
        {
            var m = Tuner.M(decoding);
            var rate = Model(m, decoding) * (1 + (Noise * ((2 * Random.NextDouble()) - 1)));
            var round = decoding / rate;
            var rounds = Math.Max(MicroBatchTuner.WindowRounds, (int)Math.Ceiling(MicroBatchTuner.WindowTime.TotalSeconds / round));
            for (var i = 0; i < rounds; i++)
            {
                _now += TimeSpan.FromSeconds(round);
                Tuner.OnTokens(decoding, decoding, _now);
                tokens += decoding;
            }

            return m;
        }
    }
}
