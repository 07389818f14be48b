namespace ControlPlane.Hypervisor.Emulated.Counting;

/// <summary>A part of the model that counts what it does: plain fields, incremented while the clock is entered.</summary>
internal interface ICounting
{
    void CountInto(CounterSheet sheet);
}
