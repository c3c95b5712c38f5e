using System.Security.Cryptography;

namespace Parallax.Router.Access.Tls;

/// <summary>The contents of the two files of a pair, which only make sense together.</summary>
/// <param name="Certificates">PEM.</param>
/// <param name="Key">PEM.</param>
internal sealed record TlsFiles(string Certificates, string Key)
{
    private const int MaxBytes = 1024 * 1024; // a chain has some thousands

    /// <summary>Tells contents apart.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{Certificates}\0{Key}")));

    /// <summary>Reads both.</summary>
    /// <exception cref="TlsException">One cannot be read.</exception>
    public static TlsFiles Read(string certificatePath, string keyPath) => new(Text(certificatePath), Text(keyPath));

    private static string Text(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > MaxBytes)
            {
                throw new TlsException($"'{path}' has {file.Length} bytes: that is no PEM file of a certificate or key.");
            }

            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TlsException($"'{path}' cannot be read: {e.Message}", e);
        }
    }
}
