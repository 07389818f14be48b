namespace ControlPlane.Lab.Processes;

/// <summary>Waits for what other processes bring about and nobody tells of: by asking again, with a deadline.</summary>
internal static class Until
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="ask">Null as long as it is not so.</param>
    /// <param name="late">What to say when it never became so.</param>
    public static async Task<T> SomethingAsync<T>(TimeSpan deadline, Func<Task<T?>> ask, Func<string> late, CancellationToken ct)
        where T : class
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        while (true)
        {
            if (await ask() is { } found)
                return found;
            if (time.GetElapsedTime(began) > deadline)
                throw new LabException(late());
            await Task.Delay(Pause, time, ct);
        }
    }
}
