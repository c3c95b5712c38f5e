using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Testing.Execution;

/// <summary>
/// Runs a model's sessions under many schedules and compares each transcript, bit for bit, with that of the session
/// alone in one prefill.
/// </summary>
internal sealed class InvarianceCheck
{
    /// <summary>Sessions of a crowd: up to 17 rows decode beside a prefill.</summary>
    public const int Sessions = 18;

    private static readonly int[] Chunks = [1, 3, 16, 17, 64];

    private readonly ModelSource? _model;
    private readonly Func<ShardChainOptions, ShardChain> _load;
    private readonly bool _ownsChains;
    private readonly ShardChainOptions _options;
    private readonly int[][] _prompts;
    private readonly int _decodes;
    private readonly ChainSession[] _alone;

    /// <param name="model">The model.</param>
    /// <param name="backend">Computes the transcripts to compare with.</param>
    /// <param name="options">Residual precision, logits wanted.</param>
    /// <param name="longest">Length of the longest prompt; others are spread below.</param>
    /// <param name="decodes">Positions that each session decodes behind its prompt.</param>
    public InvarianceCheck(ModelSource model, IComputeBackend backend, ShardChainOptions options, int longest, int decodes)
        : this(o => ShardChain.Load(model, backend, o), ownsChains: true, model.Spec.VocabularySize, options, longest, decodes)
    {
        _model = model;
    }

    /// <param name="load">Loads a chain.</param>
    /// <param name="ownsChains">Whether chains are disposed here.</param>
    /// <param name="vocabulary">Ids are below this.</param>
    /// <param name="options">Residual precision, logits wanted.</param>
    /// <param name="longest">Length of the longest prompt; others are spread below.</param>
    /// <param name="decodes">Positions that each session decodes behind its prompt.</param>
    public InvarianceCheck(Func<ShardChainOptions, ShardChain> load, bool ownsChains, int vocabulary, ShardChainOptions options, int longest, int decodes)
    {
        _load = load;
        _ownsChains = ownsChains;
        _options = options;
        _decodes = decodes;
        var random = new Random(7);
        _prompts =
        [
            .. Enumerable.Range(0, Sessions).Select(i =>
                Enumerable.Range(0, (i == 0 ? longest : 1 + random.Next(longest / 2)) + decodes)
                    .Select(_ => random.Next(vocabulary)).ToArray()),
        ];

        // Nothing shares its batches, but blocks that others have used.
        _alone = Use(null, _options, chain => _prompts.Select(prompt =>
        {
            var session = chain.Run(prompt);
            chain.Close(session);
            return session;
        }).ToArray());
    }

    /// <summary>The longest session by every chunk size; by 1 its whole context comes by decode.</summary>
    public string? Chunked(IComputeBackend? backend = null)
    {
        return Use(backend, _options, chain =>
        {
            foreach (var chunk in Chunks)
            {
                var session = chain.Run(_prompts[0], chunk);
                chain.Close(session);
                if (_alone[0].Difference(session) is { } difference)
                {
                    return $"chunks of {chunk}: {difference}";
                }
            }

            return null;
        });
    }

    /// <summary>
    /// Sessions come one after another, each prefilled in chunks beside the rows that the earlier ones decode: batches of
    /// every number of decoding rows from 1 to 17. Ended sessions leave their blocks to later ones.
    /// </summary>
    public string? Crowd(int seed) => Crowd(null, seed);

    /// <inheritdoc cref="Crowd(int)"/>
    public string? Crowd(IComputeBackend? backend, int seed)
    {
        var random = new Random(seed);
        return Use(backend, _options with { BlockOrder = seed }, chain =>
        {
            var sessions = _prompts.Select(prompt => chain.Open(prompt)).ToArray();
            var started = 0;
            while (sessions.Any(session => session.Position < session.Tokens.Count))
            {
                var slices = new List<(ChainSession, int)>();
                for (var i = 0; i < Sessions; i++)
                {
                    var session = sessions[i];
                    var left = session.Tokens.Count - session.Position;
                    var prompt = session.Tokens.Count - _decodes - session.Position;
                    if (left == 0 || i > started)
                    {
                        continue;
                    }

                    if (prompt > 0)
                    {
                        slices.Add((session, Math.Min(prompt, 1 + random.Next(40))));
                    }
                    else if (started == Sessions || left > 1)
                    {
                        // The last token waits until all have come, so that the crowd grows to its full size.
                        slices.Add((session, 1));
                    }
                }

                if (started < Sessions && sessions[started].Position > 0)
                {
                    started++;
                }

                if (slices.Count == 0)
                {
                    continue;
                }

                random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(slices));
                chain.Step(slices);
                foreach (var session in sessions.Where(session => session.Position == session.Tokens.Count))
                {
                    chain.Close(session);
                }
            }

            for (var i = 0; i < Sessions; i++)
            {
                if (_alone[i].Difference(sessions[i]) is { } difference)
                {
                    return $"crowd {seed}, session {i}: {difference}";
                }
            }

            return null;
        });
    }

    /// <summary>Rows of 1 to 17 sessions, all decoding at different positions, then all again in another order.</summary>
    public string? DecodeRows(IComputeBackend? backend = null)
    {
        return Use(backend, _options with { BlockOrder = -1 }, chain =>
        {
            var sessions = _prompts.Select(prompt => chain.Open(prompt)).ToArray();
            foreach (var session in sessions)
            {
                chain.Step((session, session.Tokens.Count - _decodes));
            }

            for (var count = 1; sessions.Any(session => session.Position < session.Tokens.Count); count = (count % 17) + 1)
            {
                var open = sessions.Where(session => session.Position < session.Tokens.Count)
                    .OrderByDescending(session => session.Tokens.Count - session.Position).Take(count);
                chain.Step([.. open.Select(session => (session, 1))]);
            }

            for (var i = 0; i < Sessions; i++)
            {
                if (_alone[i].Difference(sessions[i]) is { } difference)
                {
                    return $"decode rows, session {i}: {difference}";
                }
            }

            return null;
        });
    }

    /// <summary>The longest session on a chain cut at the given layers, prefilled in two chunks and then decoded.</summary>
    public string? Cut(int[] cuts) => Cut(null, cuts);

    /// <inheritdoc cref="Cut(int[])"/>
    public string? Cut(IComputeBackend? backend, int[] cuts, Func<IComputeBackend, int, IComputeBackend>? decorate = null)
    {
        var session = Use(backend, _options with { Cuts = cuts, Decorate = decorate ?? _options.Decorate }, chain =>
        {
            var run = chain.Open(_prompts[0]);
            var prompt = _prompts[0].Length - _decodes;
            chain.Step((run, (prompt * 2) / 3));
            chain.Step((run, prompt - run.Position));
            while (run.Position < run.Tokens.Count)
            {
                chain.Step((run, 1));
            }

            return run;
        });
        return _alone[0].Difference(session) is { } difference ? $"cut at [{string.Join(", ", cuts)}]: {difference}" : null;
    }

    /// <summary>On a backend of its own where one is given, else as the transcripts to compare with were computed.</summary>
    private T Use<T>(IComputeBackend? backend, ShardChainOptions options, Func<ShardChain, T> act)
    {
        if (backend is null)
        {
            var shared = _load(options);
            try
            {
                return act(shared);
            }
            finally
            {
                if (_ownsChains)
                {
                    shared.Dispose();
                }
            }
        }

        using var chain = ShardChain.Load(_model!, backend, options);
        return act(chain);
    }
}
