using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Cpu;

/// <summary>
/// Cosines and sines of position * frequency, [positions, rotaryDim / 2] each, computed in f64 by our own functions and
/// rounded once to f32. Grows as positions are met.
/// </summary>
internal sealed unsafe class RopeTable : IDisposable
{
    private readonly double[] _frequencies;
    private CpuBuffer _values;
    private int _positions;

    public RopeTable(RopeSpec rope)
    {
        Rope = rope;
        _frequencies = Frequencies(rope);
        _values = new CpuBuffer(64);
    }

    public RopeSpec Rope { get; }

    /// <summary>Pairs per head.</summary>
    public int Pairs => _frequencies.Length;

    /// <summary>Makes rows [0, positions) available.</summary>
    public void Ensure(int positions)
    {
        if (positions <= _positions)
        {
            return;
        }

        var count = Math.Max(positions, Math.Max(1024, _positions * 2));
        var grown = new CpuBuffer((long)count * Pairs * 2 * sizeof(float));
        var kept = (long)_positions * Pairs * 2 * sizeof(float);
        Buffer.MemoryCopy(_values.Data, grown.Data, grown.Bytes, kept);
        var values = (float*)grown.Data;
        for (var position = _positions; position < count; position++)
        {
            var row = values + ((long)position * Pairs * 2);
            for (var i = 0; i < Pairs; i++)
            {
                var (sine, cosine) = ScalarMath.SinCos(position * _frequencies[i]);
                row[i] = (float)cosine;
                row[Pairs + i] = (float)sine;
            }
        }

        _values.Dispose();
        _values = grown;
        _positions = count;
    }

    /// <summary>Cosines [pairs] and then sines [pairs] of one position.</summary>
    public float* Row(int position) => (float*)_values.Data + ((long)position * Pairs * 2);

    public void Dispose() => _values.Dispose();

    /// <summary>theta^(-2i/d), scaled as the specification says.</summary>
    internal static double[] Frequencies(RopeSpec rope)
    {
        var frequencies = new double[rope.RotaryDim / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var frequency = ScalarMath.Pow(rope.Theta, -2.0 * i / rope.RotaryDim) / rope.LinearFactor;
            if (rope.Llama3Scaling is { } scaling)
            {
                frequency = ScaleLlama3(frequency, scaling);
            }

            if (!rope.FrequencyDivisors.IsDefaultOrEmpty)
            {
                frequency /= rope.FrequencyDivisors[i];
            }

            frequencies[i] = frequency;
        }

        return frequencies;
    }

    /// <summary>
    /// Llama 3.1's scaling: long wavelengths are divided by the factor, short ones kept, those between interpolated
    /// (the model's published reference code).
    /// </summary>
    private static double ScaleLlama3(double frequency, Llama3RopeScaling scaling)
    {
        var wavelength = 2.0 * Math.PI / frequency;
        var longest = scaling.OriginalMaxPositions / scaling.LowFrequencyFactor;
        var shortest = scaling.OriginalMaxPositions / scaling.HighFrequencyFactor;
        if (wavelength > longest)
        {
            return frequency / scaling.Factor;
        }

        if (wavelength < shortest)
        {
            return frequency;
        }

        var smooth = ((scaling.OriginalMaxPositions / wavelength) - scaling.LowFrequencyFactor)
            / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return ((1.0 - smooth) * frequency / scaling.Factor) + (smooth * frequency);
    }
}
