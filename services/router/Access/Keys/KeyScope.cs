namespace Parallax.Router.Access.Keys;

/// <summary>What a key is good for.</summary>
[Flags]
internal enum KeyScope
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>To use the models: <c>/v1</c>.</summary>
    Chat = 1,

    /// <summary>To read what was asked and answered, by everybody: <c>/audit</c>.</summary>
    Audit = 2,

    /// <summary>To give commands: <c>/admin</c>.</summary>
    Admin = 4,
}
