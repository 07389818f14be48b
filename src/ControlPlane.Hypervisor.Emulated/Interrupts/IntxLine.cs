using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>
/// One interrupt line that several functions pull. It is level-triggered: as long as one of them pulls, the host is interrupted again and again.
/// A function without a driver cannot be made to let go, for nobody knows which register that takes.
/// </summary>
internal sealed class IntxLine(int number)
{
    /// <summary>Linux's <c>note_interrupt</c> looks back over so many interrupts …</summary>
    public const int Window = 100_000;

    /// <summary>… and switches the line off when nobody cared for more than so many of them.</summary>
    public const int MaxUnhandled = 99_900;

    private readonly HashSet<PciAddress> pulling = [];
    private readonly List<(PciAddress Function, Func<bool> Handle)> handlers = [];
    private int inWindow;
    private int unhandledInWindow;
    private bool delivering;

    /// <summary>The global system interrupt.</summary>
    public int Number => number;

    public bool IsAsserted => pulling.Count > 0;

    /// <summary>Nobody cared: the line is off until the host boots again, for all who share it.</summary>
    public bool IsDisabled { get; private set; }

    public long Interrupts { get; private set; }

    public long Unhandled { get; private set; }

    /// <param name="handle">Asked at each interrupt; true: it was this function's, and it was dealt with.</param>
    public void Register(PciAddress function, Func<bool> handle) => handlers.Add((function, handle));

    public void Unregister(PciAddress function) => handlers.RemoveAll(h => h.Function == function);

    public void Assert(PciAddress function)
    {
        pulling.Add(function);
        Deliver();
    }

    public void Deassert(PciAddress function) => pulling.Remove(function);

    private void Deliver()
    {
        // A handler that asserts again is served by the loop that called it.
        if (delivering)
            return;
        delivering = true;
        for (var storm = 0; IsAsserted && !IsDisabled && storm < 2 * Window; storm++)
        {
            Interrupts++;
            var handled = false;
            foreach (var (_, handle) in handlers.ToArray())
                handled |= handle();
            Note(handled);
        }
        delivering = false;
    }

    private void Note(bool handled)
    {
        if (!handled)
        {
            Unhandled++;
            unhandledInWindow++;
        }
        if (++inWindow < Window)
            return;
        IsDisabled = unhandledInWindow > MaxUnhandled;
        (inWindow, unhandledInWindow) = (0, 0);
    }
}
