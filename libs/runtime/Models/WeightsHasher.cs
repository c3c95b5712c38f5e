using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>
/// The identity of a model: SHA-256 over a version, the description (config.json's bytes, or a GGUF file's metadata)
/// and, for each tensor in the order of names, its name, dtype, shape and contents' SHA-256. It does not depend on
/// the machine, on paths, or on how tensors are spread over files.
/// <para>
/// Contents are hashed whole up to <see cref="WholeLimit"/> bytes of tensors. Of larger models each tensor above 1 MiB
/// contributes sixteen windows of 64 KiB at equal distances, the first and the last included: enough to tell any two
/// trainings apart, at a cost that does not keep a worker from starting, but no protection against someone who
/// changes a file on purpose.
/// </para>
/// </summary>
internal static class WeightsHasher
{
    /// <summary>Total bytes of tensors up to which every byte is hashed (about two seconds on two cores).</summary>
    public const long WholeLimit = 4L << 30;

    private const int WholeTensorLimit = 1 << 20;
    private const int Windows = 16;
    private const int WindowBytes = 64 << 10;
    private const int ChunkBytes = 1 << 20;

    /// <param name="description">What describes the model beside its tensors.</param>
    /// <param name="tensors">All tensors.</param>
    /// <param name="wholeLimit">See <see cref="WholeLimit"/>.</param>
    /// <returns>64 hexadecimal digits, lower case.</returns>
    public static string Hash(ReadOnlySpan<byte> description, IEnumerable<StoredTensor> tensors, long wholeLimit = WholeLimit)
    {
        StoredTensor[] sorted = [.. tensors.OrderBy(t => t.Name, StringComparer.Ordinal)];
        var whole = sorted.Sum(t => t.ByteLength) <= wholeLimit;
        var contents = new byte[sorted.Length][];
        Parallel.For(0, sorted.Length, i => contents[i] = HashContents(sorted[i], whole));

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Encoding.UTF8.GetBytes(whole ? "parallax-weights-1-whole" : "parallax-weights-1-sampled"));
        Append(hash, description);
        for (var i = 0; i < sorted.Length; i++)
        {
            Append(hash, Encoding.UTF8.GetBytes($"{sorted[i].Name}\n{sorted[i].Dtype}\n{sorted[i].ShapeText}"));
            Append(hash, contents[i]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Each part is preceded by its length, so that no two sequences of parts hash alike.</summary>
    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }

    private static byte[] HashContents(StoredTensor tensor, bool whole)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            if (whole || tensor.ByteLength <= WholeTensorLimit)
            {
                AppendRange(hash, tensor, 0, tensor.ByteLength, buffer.AsSpan(0, ChunkBytes));
            }
            else
            {
                for (var window = 0; window < Windows; window++)
                {
                    AppendRange(hash, tensor, (tensor.ByteLength - WindowBytes) * window / (Windows - 1), WindowBytes, buffer.AsSpan(0, ChunkBytes));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Reads the file rather than the mapping, whose pages would stay in resident memory.</summary>
    private static void AppendRange(IncrementalHash hash, StoredTensor tensor, long start, long length, Span<byte> buffer)
    {
        for (var done = 0L; done < length;)
        {
            var chunk = buffer[..(int)Math.Min(buffer.Length, length - done)];
            tensor.File.Read(tensor.Offset + start + done, chunk);
            hash.AppendData(chunk);
            done += chunk.Length;
        }
    }
}
