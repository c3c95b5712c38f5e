namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Python's dict as templates see it: insertion order, any hashable key, never changed once it is built.</summary>
internal sealed class MapValue
{
    // Most mappings are messages and schema nodes of a few members: a scan beats a hash table there.
    private const int ScanLimit = 8;

    private readonly List<KeyValuePair<TemplateValue, TemplateValue>> _entries = [];
    private Dictionary<TemplateValue, int>? _index;

    public int Count => _entries.Count;

    public KeyValuePair<TemplateValue, TemplateValue> this[int position] => _entries[position];

    /// <summary>Adds an entry, or replaces the value of an equal key in its place. The key must be hashable.</summary>
    public void Set(TemplateValue key, TemplateValue value)
    {
        var position = Find(key);
        if (position >= 0)
        {
            _entries[position] = new(_entries[position].Key, value);
            return;
        }

        _entries.Add(new(key, value));
        if (_index is not null)
        {
            _index.Add(key, _entries.Count - 1);
        }
        else if (_entries.Count > ScanLimit)
        {
            _index = new Dictionary<TemplateValue, int>(KeyComparer.Instance);
            for (var i = 0; i < _entries.Count; i++)
            {
                _index.Add(_entries[i].Key, i);
            }
        }
    }

    public bool TryGet(TemplateValue key, out TemplateValue value)
    {
        var position = Find(key);
        value = position >= 0 ? _entries[position].Value : default;
        return position >= 0;
    }

    public bool TryGet(string key, out TemplateValue value) => TryGet(TemplateValue.From(key), out value);

    private int Find(TemplateValue key)
    {
        if (_index is not null)
        {
            return _index.TryGetValue(key, out var position) ? position : -1;
        }

        for (var i = 0; i < _entries.Count; i++)
        {
            if (KeyComparer.Instance.Equals(_entries[i].Key, key))
            {
                return i;
            }
        }

        return -1;
    }
}
