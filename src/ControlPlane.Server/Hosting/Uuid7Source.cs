using System.Buffers.Binary;
using System.Security.Cryptography;
using ControlPlane.Domain;

namespace ControlPlane.Server.Hosting;

/// <summary>
/// UUIDv7 (RFC 9562 section 5.7) that grow strictly within this process: a counter in <c>rand_a</c> keeps ids of one millisecond in order
/// (method 1 of section 6.2), so that lists by id are lists by creation.
/// </summary>
internal sealed class Uuid7Source(TimeProvider clock) : IIdSource
{
    private const int CounterBits = 12;
    private readonly Lock gate = new();
    private long last;

    public Guid Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes[8..]);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds() << CounterBits;
        long stamp;
        lock (gate)
            stamp = last = Math.Max(now, last + 1); // A clock that steps back, or more than 4096 ids in a millisecond, borrow from the future.
        BinaryPrimitives.WriteInt64BigEndian(bytes, (stamp >> CounterBits) << 16);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)(0x7000 | (stamp & 0xfff)));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }
}
