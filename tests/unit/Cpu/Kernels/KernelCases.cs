using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>The cases of each kernel, by the kernel's name.</summary>
internal static class KernelCases
{
    public static readonly string[] Names =
    [
        .. Enum.GetValues<TensorFormat>().Select(format => $"Linear {format}"),
        "Linear mixed",
        "RmsNorm",
        "Rotate halves",
        "Rotate interleaved",
        "Attention",
        "SwiGlu",
        "Experts",
        .. Enum.GetValues<TensorFormat>().Select(format => $"Embed {format}"),
    ];

    public static IEnumerable<IKernelCase> Of(string name) => name switch
    {
        "Linear mixed" => Mixed(),
        "RmsNorm" => Norms(),
        "Rotate halves" => Rotations(RopeLayout.Halves),
        "Rotate interleaved" => Rotations(RopeLayout.Interleaved),
        "Attention" => Attentions(),
        "SwiGlu" => [new SwiGluCase(3, 1, 1), new SwiGluCase(2, 17, 2), new SwiGluCase(5, 100, 3), new SwiGluCase(1, 3000, 4), new SwiGluCase(40, 1000, 5)],
        "Experts" => Experts(),
        _ when name.StartsWith("Linear ", StringComparison.Ordinal) => Linears(Enum.Parse<TensorFormat>(name["Linear ".Length..])),
        _ when name.StartsWith("Embed ", StringComparison.Ordinal) => Embeds(Enum.Parse<TensorFormat>(name["Embed ".Length..])),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such kernel"),
    };

    private static int Columns(TensorFormat format, Random random) => format.BlockElements() switch
    {
        1 => 1 + random.Next(130),
        32 => 32 * (1 + random.Next(6)),
        _ => 256 * (1 + random.Next(2)),
    };

    private static IEnumerable<IKernelCase> Linears(TensorFormat format)
    {
        // Rows around the kernels' tiles first, then at random; outputs that fill groups of 16 or not.
        var random = new Random((int)format + 1);
        int[] inputs = [1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 40];
        int[] rows = [1, 15, 16, 17, 33, 50];
        for (var i = 0; i < 16; i++)
        {
            yield return new LinearCase(
                [format],
                [i < rows.Length ? rows[i] : 1 + random.Next(70)],
                Columns(format, random),
                i < inputs.Length ? inputs[i] : 1 + random.Next(40),
                i + 1,
                Bias: random.Next(2) == 0,
                (LinearCase.Kind)(i % 3));
        }

        yield return new LinearCase([format, format, format], [33, 16, 5], format.BlockElements() == 1 ? 77 : 256, 6, 99, Bias: true, LinearCase.Kind.Store);
        yield return new LinearCase([format], [20], 1024, 18, 98, Bias: false, LinearCase.Kind.Store);
    }

    private static IEnumerable<IKernelCase> Mixed()
    {
        // As some checkpoints mix them within a layer: quantised beside plain, and beside each other.
        yield return new LinearCase([TensorFormat.Q4_K, TensorFormat.Q4_K, TensorFormat.Q6_K], [40, 24, 24], 256, 7, 1, Bias: true, LinearCase.Kind.Store);
        yield return new LinearCase([TensorFormat.F32, TensorFormat.Q8_0, TensorFormat.BF16], [10, 24, 3], 64, 19, 2, Bias: false, LinearCase.Kind.Store);
        yield return new LinearCase([TensorFormat.Q5_1, TensorFormat.Q4_0, TensorFormat.F16, TensorFormat.Q5_0, TensorFormat.Q4_1], [16, 1, 31, 7, 20], 96, 2, 3, Bias: true, LinearCase.Kind.Store);
    }

    private static IEnumerable<IKernelCase> Norms()
    {
        int[] columns = [1, 8, 15, 16, 17, 64, 100, 576, 2048];
        return columns.Select((count, i) => new NormCase(1 + (i % 4), count, (TensorFormat)(i % 3), i % 2 == 0 ? 1e-5f : 1e-6f, i + 1))
            .Append(new NormCase(64, 300, TensorFormat.F32, 1e-5f, 20));
    }

    private static IEnumerable<IKernelCase> Rotations(RopeLayout layout)
    {
        // Odd counts of pairs, heads that rotate in part, norms before.
        int[] dims = [2, 6, 8, 10, 14, 22, 26, 34, 64, 80, 130];
        return dims.Select((dim, i) => new AttentionCase
        {
            HeadDim = dim,
            KvHeads = 1 + (i % 2),
            Group = 1 + (i % 3),
            RotaryDim = i % 3 == 2 ? Math.Max(2, dim / 2 / 2 * 2) : 0,
            Layout = layout,
            HeadNorms = i % 2 == 1,
            Precision = (ResidualPrecision)(i % 2),
            Length = 9,
            First = 4,
            Seed = i + 1,
        });
    }

    private static IEnumerable<IKernelCase> Attentions()
    {
        // Contexts up to and over the borders of chunks of 64 positions; each row is a context of its own length.
        int[] dims = [8, 16, 64, 80, 128];
        int[] groups = [1, 3, 7];
        int?[] windows = [null, 5, 24, 64, 70];
        (int Length, int First)[] lengths = [(40, 23), (66, 63), (64, 64), (131, 65), (150, 149)];
        var i = 0;
        foreach (var dim in dims)
        {
            foreach (var group in groups)
            {
                foreach (var precision in (ResidualPrecision[])[ResidualPrecision.BF16, ResidualPrecision.F32])
                {
                    var (length, first) = lengths[(i + (i / 5)) % lengths.Length];
                    yield return new AttentionCase
                    {
                        HeadDim = dim,
                        KvHeads = dim < 64 ? 2 : 1,
                        Group = group,
                        Window = windows[i % windows.Length],
                        Precision = precision,
                        LinearFactor = 1e30,
                        Length = length,
                        First = first,
                        Seed = ++i,
                    };
                }
            }
        }
    }

    private static IEnumerable<IKernelCase> Experts()
    {
        yield return new MoeCase(TensorFormat.F32, 1, 40, 24, 4, 2, Normalize: true, Round: false, Twins: false, 1);
        yield return new MoeCase(TensorFormat.BF16, 33, 64, 48, 8, 2, Normalize: true, Round: true, Twins: false, 2);
        yield return new MoeCase(TensorFormat.F16, 7, 32, 17, 5, 3, Normalize: false, Round: false, Twins: false, 3);
        yield return new MoeCase(TensorFormat.Q8_0, 20, 64, 32, 8, 3, Normalize: true, Round: false, Twins: false, 4);
        yield return new MoeCase(TensorFormat.Q4_0, 5, 96, 64, 6, 1, Normalize: false, Round: true, Twins: false, 5);
        yield return new MoeCase(TensorFormat.Q4_K, 18, 256, 256, 4, 2, Normalize: true, Round: false, Twins: false, 6);
        yield return new MoeCase(TensorFormat.F32, 12, 32, 16, 8, 3, Normalize: true, Round: false, Twins: true, 7);
    }

    private static IEnumerable<IKernelCase> Embeds(TensorFormat format)
    {
        var block = format.BlockElements();
        yield return new EmbedCase(format, 33, block == 1 ? 77 : block * 3, Round: false, 1);
        yield return new EmbedCase(format, 16, block == 1 ? 16 : block, Round: true, 2);
        yield return new EmbedCase(format, 1, block == 1 ? 1 : 256 * 5, Round: false, 3);
    }
}
