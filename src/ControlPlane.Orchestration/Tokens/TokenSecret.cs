using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Domain;

namespace ControlPlane.Orchestration.Tokens;

/// <summary>
/// A bearer token as its holder sends it: <c>cp_</c>, the token's id (32 hex digits, finds the row), <c>_</c>, and 256 random bits in
/// base64url. Only the SHA-256 of the whole text is stored: against that many random bits no slower hash is needed.
/// </summary>
public readonly record struct TokenSecret
{
    private const string Prefix = "cp_";
    private const int IdLength = 32;
    private const int SecretLength = 43;
    private const int Length = 3 + IdLength + 1 + SecretLength;

    private TokenSecret(TokenId id, string text) => (Id, Text) = (id, text);

    public TokenId Id { get; }

    /// <summary>The whole token. Never to be logged or stored.</summary>
    public string Text { get; }

    public static TokenSecret Draw(TokenId id)
    {
        // The operating system's generator: a secret must not follow from a seed.
        var random = RandomNumberGenerator.GetBytes(32);
        return new TokenSecret(id, $"{Prefix}{id.Value:N}_{Base64Url.EncodeToString(random)}");
    }

    public static bool TryParse(ReadOnlySpan<char> text, out TokenSecret secret)
    {
        secret = default;
        if (text.Length != Length || !text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length + IdLength] != '_')
            return false;
        if (!Guid.TryParseExact(text.Slice(Prefix.Length, IdLength), "N", out var id))
            return false;
        secret = new TokenSecret(TokenId.From(id), text.ToString());
        return true;
    }

    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes(Text));

    /// <summary>Takes the same time wherever the first difference is.</summary>
    public bool Matches(byte[] hash)
    {
        Span<byte> own = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> utf8 = stackalloc byte[Length * 3];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(Text, utf8)], own);
        return CryptographicOperations.FixedTimeEquals(own, hash);
    }

    /// <summary>So that a secret never reaches a log by accident.</summary>
    public override string ToString() => $"{Prefix}{Id.Value:N}_…";
}
