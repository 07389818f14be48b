namespace ControlPlane.Api.Pipeline;

/// <summary>Lets one caller at a time through for each key; keys that nobody waits for cost nothing.</summary>
internal sealed class KeyedGate<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Gate> gates = [];

    public async Task<IDisposable> EnterAsync(TKey key, CancellationToken ct)
    {
        Gate gate;
        lock (gates)
        {
            if (!gates.TryGetValue(key, out gate!))
                gates[key] = gate = new Gate();
            gate.Users++;
        }
        try
        {
            await gate.Semaphore.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            Leave(key, gate);
            throw;
        }
        return new Passage(this, key, gate);
    }

    private void Leave(TKey key, Gate gate)
    {
        lock (gates)
        {
            if (--gate.Users > 0)
                return;
            gates.Remove(key);
            gate.Semaphore.Dispose();
        }
    }

    private sealed class Gate
    {
        public SemaphoreSlim Semaphore { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Passage(KeyedGate<TKey> owner, TKey key, Gate gate) : IDisposable
    {
        public void Dispose()
        {
            gate.Semaphore.Release();
            owner.Leave(key, gate);
        }
    }
}
