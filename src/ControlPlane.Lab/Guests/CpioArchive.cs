using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace ControlPlane.Lab.Guests;

/// <summary>Writes the archive that Linux unpacks as its first file system ("newc": Documentation/driver-api/early-userspace/buffer-format.rst).</summary>
internal sealed class CpioArchive : IDisposable
{
    private const int DirectoryMode = 0x41ED; // 040755
    private const int ProgramMode = 0x81ED; // 0100755

    private readonly GZipStream stream;
    private long length;
    private int entries;

    /// <param name="target">Closed with the archive.</param>
    public CpioArchive(Stream target) => stream = new GZipStream(target, CompressionLevel.Fastest);

    public void AddDirectory(string path) => Add(path, DirectoryMode, links: 2, []);

    public void AddProgram(string path, ReadOnlySpan<byte> content) => Add(path, ProgramMode, links: 1, content);

    public void Dispose()
    {
        Add("TRAILER!!!", mode: 0, links: 1, []);
        stream.Dispose();
    }

    private void Add(string path, int mode, int links, ReadOnlySpan<byte> content)
    {
        // Owner, time and devices are 0: the same files make the same archive.
        int[] fields = [++entries, mode, 0, 0, links, 0, content.Length, 0, 0, 0, 0, path.Length + 1, 0];
        var header = new StringBuilder("070701");
        foreach (var field in fields)
            header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        Write(Encoding.ASCII.GetBytes($"{header}{path}\0"));
        Pad();
        Write(content);
        Pad();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        length += bytes.Length;
    }

    private void Pad() => Write(new byte[(4 - (length % 4)) % 4]);
}
