using System.Text.Json;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>
/// The parts of a tokenizer.json: the small ones parsed, the vocabulary and the merges (hundreds of thousands of
/// entries) as places in the file, to be read in one pass without a tree.
/// </summary>
internal sealed class TokenizerJson
{
    private const int MaxBytes = 256 << 20;
    private const int MaxVocabulary = 1 << 21; // eight times the largest known
    private const int MaxTokenBytes = 1 << 16;
    private const string Vocabulary = "model.vocab";
    private const string Merges = "model.merges";

    private readonly byte[] _bytes;
    private readonly Dictionary<string, JsonField> _sections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonField> _model = new(StringComparer.Ordinal);
    private Range? _vocabulary;
    private Range? _merges;

    private TokenizerJson(string file, byte[] bytes)
    {
        File = file;
        _bytes = bytes;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <exception cref="ModelFormatException">Not a JSON object, or cut short.</exception>
    public static TokenizerJson Read(string path)
    {
        var file = new TokenizerJson(path, JsonFile.ReadBytes(path, MaxBytes));
        file.Guard(file.ReadSections);
        return file;
    }

    /// <summary>A section at the top, or null when it is absent or null.</summary>
    public JsonField? Section(string name) => NotNull(_sections, name);

    /// <summary>A member of the section "model" other than its vocabulary and merges, or null.</summary>
    public JsonField? ModelField(string name) => NotNull(_model, name);

    /// <summary>A true or false member of the section "model".</summary>
    public bool ModelFlag(string name) => ModelField(name)?.AsBool() ?? false;

    /// <summary>Reads the vocabulary: calls <paramref name="add"/> with each token's UTF-8 and id.</summary>
    public void ReadVocabulary(TokenAction add)
    {
        var range = _vocabulary ?? throw new ModelFormatException(File, "missing", Vocabulary);
        Guard(() =>
        {
            var reader = new Utf8JsonReader(_bytes.AsSpan(range));
            var scratch = new byte[256];
            Expect(ref reader, JsonTokenType.StartObject, "expected an object of tokens and ids", Vocabulary);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var token = Text(ref reader, ref scratch, Vocabulary);
                reader.Read();
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id))
                {
                    throw new ModelFormatException(File, $"the id of token '{Show(token)}' is not a whole number", Vocabulary);
                }

                CheckId(id, token, Vocabulary);
                add(token, id);
            }
        });
    }

    /// <summary>Reads the merges in order: calls <paramref name="add"/> with the UTF-8 of both sides.</summary>
    public void ReadMerges(MergeAction add)
    {
        var range = _merges ?? throw new ModelFormatException(File, "missing", Merges);
        Guard(() =>
        {
            var reader = new Utf8JsonReader(_bytes.AsSpan(range));
            var scratch = new byte[256];
            var other = new byte[256];
            Expect(ref reader, JsonTokenType.StartArray, "expected an array", Merges);
            for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
            {
                if (reader.TokenType == JsonTokenType.String)
                {
                    var pair = Text(ref reader, ref scratch, Merges, index);
                    var space = pair.IndexOf((byte)' ');
                    if (space <= 0 || space != pair.LastIndexOf((byte)' ') || space == pair.Length - 1)
                    {
                        throw Error($"'{Show(pair)}' is not two tokens with one space between", Merges, index);
                    }

                    add(pair[..space], pair[(space + 1)..], index);
                }
                else
                {
                    Require(reader.TokenType, JsonTokenType.StartArray, "expected a string or an array of two strings", Merges, index);
                    Expect(ref reader, JsonTokenType.String, "expected an array of two strings", Merges, index);
                    var left = Text(ref reader, ref scratch, Merges, index);
                    Expect(ref reader, JsonTokenType.String, "expected an array of two strings", Merges, index);
                    var right = Text(ref reader, ref other, Merges, index);
                    Expect(ref reader, JsonTokenType.EndArray, "expected an array of two strings", Merges, index);
                    add(left, right, index);
                }
            }
        });
    }

    /// <summary>Refuses ids that are negative or so large that tables for them would not fit in memory.</summary>
    public void CheckId(int id, ReadOnlySpan<byte> token, string field)
    {
        if ((uint)id >= MaxVocabulary)
        {
            throw new ModelFormatException(
                File, $"the id {id} of token '{Show(token)}' is outside 0 to {MaxVocabulary - 1}", field);
        }
    }

    /// <summary>A token as it may stand in a message.</summary>
    public static string Show(ReadOnlySpan<byte> token) =>
        System.Text.Encoding.UTF8.GetString(token.Length <= 40 ? token : token[..40]);

    private static JsonField? NotNull(Dictionary<string, JsonField> fields, string name) =>
        fields.TryGetValue(name, out var field) && field.Element.ValueKind != JsonValueKind.Null ? field : null;

    private void ReadSections()
    {
        var start = _bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0; // a byte-order mark
        var reader = new Utf8JsonReader(_bytes.AsSpan(start));
        Expect(ref reader, JsonTokenType.StartObject, "expected a JSON object", null);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == "model" && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadModel(ref reader, start);
            }
            else
            {
                _sections[name] = new JsonField(File, name, JsonElement.ParseValue(ref reader));
            }
        }

        while (reader.Read())
        {
            // Only to see that nothing but white space follows.
        }
    }

    private void ReadModel(ref Utf8JsonReader reader, int offset)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var start = offset + (int)reader.TokenStartIndex;
            if (name is "vocab" or "merges")
            {
                reader.Skip();
                var range = start..(offset + (int)reader.BytesConsumed);
                _vocabulary = name == "vocab" ? range : _vocabulary;
                _merges = name == "merges" ? range : _merges;
            }
            else
            {
                _model[name] = new JsonField(File, "model." + name, JsonElement.ParseValue(ref reader));
            }
        }
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string problem, string? field, int index = -1)
    {
        reader.Read();
        Require(reader.TokenType, type, problem, field, index);
    }

    private void Require(JsonTokenType found, JsonTokenType type, string problem, string? field, int index = -1)
    {
        if (found != type)
        {
            throw Error(problem, field, index);
        }
    }

    private ModelFormatException Error(string problem, string? field, int index) =>
        new(File, problem, index < 0 ? field : $"{field}[{index}]");

    /// <summary>The reader's string, unescaped, in a buffer that grows to a bounded size.</summary>
    private ReadOnlySpan<byte> Text(ref Utf8JsonReader reader, ref byte[] scratch, string field, int index = -1)
    {
        var length = reader.ValueSpan.Length;
        if (length > MaxTokenBytes)
        {
            throw Error($"a token of {length:N0} bytes; at most {MaxTokenBytes:N0} are read", field, index);
        }

        if (scratch.Length < length)
        {
            scratch = new byte[length];
        }

        return scratch.AsSpan(0, reader.CopyString(scratch));
    }

    private void Guard(Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with an escape that is half a surrogate pair.
            throw new ModelFormatException(File, $"not valid JSON, or cut short: {e.Message}", cause: e);
        }
    }

    /// <summary>Takes a token and its id.</summary>
    internal delegate void TokenAction(ReadOnlySpan<byte> token, int id);

    /// <summary>Takes the two sides of a merge and its place.</summary>
    internal delegate void MergeAction(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, int index);
}
