namespace Parallax.Router.Api.Ids;

/// <summary>In which respect a request is not the one that an id was made for.</summary>
internal enum ClaimMismatch
{
    /// <summary>It is the same.</summary>
    None,

    /// <summary>It has another body.</summary>
    Body,

    /// <summary>It has the same body, and another API key.</summary>
    Key,
}
