using System.Text.Json;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Weights;

/// <summary>
/// A checkpoint cut over several safetensors files in one folder; <c>model.safetensors.index.json</c> says which file
/// holds which tensor. A tensor that a file holds but the index does not name is not part of the checkpoint.
/// </summary>
public sealed class SafetensorsFolder : IWeightSource
{
    private const int MaxIndexBytes = 64 << 20;

    private readonly List<SafetensorsFile> _files;
    private readonly TensorTable _table;

    private SafetensorsFolder(List<SafetensorsFile> files, TensorTable table)
    {
        _files = files;
        _table = table;
    }

    /// <inheritdoc/>
    public string Location => _table.Location;

    internal TensorTable Table => _table;

    /// <summary>Reads the index and maps every file it names.</summary>
    /// <param name="indexPath">The index file; the others lie beside it.</param>
    /// <exception cref="ModelFormatException">The index or one of its files is missing or wrong.</exception>
    public static SafetensorsFolder Open(string indexPath)
    {
        var folder = Path.GetDirectoryName(indexPath) ?? "";
        var files = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        try
        {
            var table = new TensorTable(folder);
            foreach (var (name, fileName) in ReadIndex(indexPath))
            {
                if (!files.TryGetValue(fileName, out var file))
                {
                    file = OpenPart(indexPath, folder, name, fileName);
                    files.Add(fileName, file);
                }

                if (!file.Table.TryGet(name, out var tensor))
                {
                    throw new ModelFormatException(file.Location, $"the tensor is missing, though {Path.GetFileName(indexPath)} says that it is here", name);
                }

                table.TryAdd(tensor);
            }

            return new SafetensorsFolder([.. files.Values], table);
        }
        catch
        {
            foreach (var file in files.Values)
            {
                file.Dispose();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public bool Contains(string name) => _table.TryGet(name, out _);

    /// <inheritdoc/>
    public WeightTensor Open(TensorRef reference, int rows, int columns) => _table.Open(reference, rows, columns);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private static SafetensorsFile OpenPart(string indexPath, string folder, string tensor, string fileName)
    {
        // A plain name only: an index must not make us read files elsewhere. (The hub's cache links to its blobs; the
        // links are the user's, so they are followed.)
        if (fileName.Length == 0 || fileName is "." or ".." || fileName.AsSpan().IndexOfAny("/\\:\0") >= 0)
        {
            throw new ModelFormatException(indexPath, $"names the file '{fileName}', which is not a plain file name in the model's folder", tensor);
        }

        return SafetensorsFile.Open(Path.Combine(folder, fileName));
    }

    private static List<KeyValuePair<string, string>> ReadIndex(string path)
    {
        using var document = JsonFile.Read(path, MaxIndexBytes);
        return JsonFile.Decode(path, () =>
        {
            if (!document.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            {
                throw new ModelFormatException(path, "expected an object that maps tensor names to file names", "weight_map");
            }

            var entries = new List<KeyValuePair<string, string>>();
            foreach (var property in map.EnumerateObject())
            {
                if (property.Value.ValueKind != JsonValueKind.String)
                {
                    throw new ModelFormatException(path, "expected a file name", property.Name);
                }

                entries.Add(new(property.Name, property.Value.GetString()!));
            }

            return entries;
        });
    }
}
