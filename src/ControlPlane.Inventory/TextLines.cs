namespace ControlPlane.Inventory;

/// <summary>Goes through a text line by line without copying it; ends of line may be LF or CRLF.</summary>
internal ref struct TextLines(ReadOnlySpan<char> text)
{
    private ReadOnlySpan<char> rest = text;
    private bool ended = text.IsEmpty;

    /// <summary>Counted from 1.</summary>
    public int Number { get; private set; }

    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>True once the last line was read that an end of line does not close: it may have been cut off.</summary>
    public bool CutOff { get; private set; }

    public bool MoveNext()
    {
        if (ended)
            return false;
        Number++;
        var end = rest.IndexOf('\n');
        if (end < 0)
        {
            Current = rest;
            (ended, CutOff) = (true, !rest.IsEmpty);
            return !rest.IsEmpty;
        }
        Current = rest[..end].TrimEnd('\r');
        rest = rest[(end + 1)..];
        return true;
    }
}
