namespace Parallax.Router.Api.Ids;

/// <summary>What of a choice the client has beyond the text up to a token, in the order in which it comes.</summary>
internal enum ChoicePart
{
    /// <summary>Not even the event that opens the choice.</summary>
    Nothing,

    /// <summary>The choice's opening, and the text up to a token.</summary>
    Text,

    /// <summary>Also the text that was held back until the answer ended.</summary>
    Rest,

    /// <summary>Also the reason why it ended: all of the choice.</summary>
    Finish,
}
