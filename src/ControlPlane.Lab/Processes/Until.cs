namespace ControlPlane.Lab.Processes;

/// <summary>Waits for what other processes bring about and nobody tells of: by asking again, with a deadline.</summary>
internal static class Until
{
    /// <summary>Grows from the first to the longest: what is soon so is soon seen, and what takes long is not made slower by being asked.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(30);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(400);

    private const double Growth = 1.3;

    /// <param name="ask">Null as long as it is not so.</param>
    /// <param name="late">What to say when it never became so.</param>
    public static async Task<T> SomethingAsync<T>(TimeSpan deadline, Func<Task<T?>> ask, Func<string> late, CancellationToken ct)
        where T : class
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var pause = FirstPause;
        while (true)
        {
            if (await ask() is { } found)
                return found;
            if (time.GetElapsedTime(began) > deadline)
                throw new LabException(late());
            await Task.Delay(pause, time, ct);
            pause = pause * Growth < LongestPause ? pause * Growth : LongestPause;
        }
    }
}
