namespace Parallax.Overlay.Records;

/// <summary>Says whether a record's signature is its publisher's.</summary>
internal interface IRecordVerifier
{
    bool Verify(SignedRecord record);
}
