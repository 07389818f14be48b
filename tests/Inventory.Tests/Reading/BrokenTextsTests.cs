using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Reading;
using FsCheck;
using FsCheck.Fluent;

namespace ControlPlane.Inventory.Tests.Reading;

/// <summary>Whatever is sent, the reader answers a description or a fault that names the field.</summary>
public sealed class BrokenTextsTests
{
    private static readonly string[] Fields = ["lspci", "iommuGroups", "lscpu", "sysfs", "capabilities", "nodeDevices"];

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void A_dump_cut_off_anywhere_shows_the_functions_that_came_before(string name)
    {
        var capture = new Capture(name);
        var whole = capture.Read().Inventory.Functions.Select(f => f.Address).ToHashSet();
        var random = new Random(4711);
        for (var i = 0; i < 24; i++)
        {
            var cut = random.Next(capture.Lspci.Length);
            var text = capture.Lspci[..cut];
            var complete = text.Split("\n\n").Length - 1;

            var read = HostDescriptionReader.Read(new InventoryTexts(text, capture.IommuGroups, capture.Lscpu, Sysfs: capture.Sysfs));

            AssertAnswer(read);
            if (complete > 0)
            {
                Assert.True(read.Value.Inventory.Functions.Count >= complete);
                // An address may itself be cut, and then be another valid one only if its last digit is missing, which is none.
                Assert.Subset(whole, read.Value.Inventory.Functions.Select(f => f.Address).ToHashSet());
                Assert.NotEmpty(read.Value.Warnings);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Texts_with_wrong_characters_anywhere_are_read_as_far_as_they_go(string name)
    {
        var capture = new Capture(name);
        var random = new Random(815);
        for (var i = 0; i < 16; i++)
        {
            AssertAnswer(HostDescriptionReader.Read(new InventoryTexts(
                Mutate(capture.Lspci, random), Mutate(capture.IommuGroups, random), Mutate(capture.Lscpu, random), Sysfs: Mutate(capture.Sysfs, random))));
        }
    }

    [Fact]
    public void Xml_with_wrong_characters_anywhere_is_a_fault_or_a_description()
    {
        var capture = new Capture("sriov");
        var random = new Random(42);
        for (var i = 0; i < 24; i++)
        {
            AssertAnswer(HostDescriptionReader.Read(new InventoryTexts(
                null, NodeDevices: [Mutate(string.Concat(capture.NodeDevices), random, 3)], Capabilities: Mutate(capture.Capabilities, random, 2))));
        }
    }

    [Fact]
    public void Configuration_space_of_random_bytes_is_read_and_grouped()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<byte[][]>(), spaces =>
        {
            var machine = new Machine().Conventional("ff:1f.7");
            for (var i = 0; i < Math.Min(spaces.Length, 16); i++)
            {
                // A header that says there is something, then chance: lists that loop, buses that lead back, counts that leave the segment.
                var bytes = new byte[4096];
                new Random(spaces[i].Aggregate(17, (hash, b) => (hash * 31) + b)).NextBytes(bytes);
                spaces[i].AsSpan(0, Math.Min(spaces[i].Length, 64)).CopyTo(bytes);
                (bytes[0x06], bytes[0x0e], bytes[0x34]) = (0x10, (byte)(i % 3), (byte)(0x40 + (i % 32 * 4)));
                (bytes[0x100], bytes[0x101]) = (0x10, 0);
                machine.Add(PciAddress.FromRoutingId(0, (ushort)(i * 37)).ToString(), bytes);
            }
            AssertAnswer(HostDescriptionReader.Read(new InventoryTexts(machine.ToString())));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30).WithReplay(1234567, 89));
    }

    [Fact]
    public void Any_text_in_any_field_is_answered()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string?>(), ArbMap.Default.ArbFor<string?>(), ArbMap.Default.ArbFor<string?>(), (a, b, c) =>
        {
            AssertAnswer(HostDescriptionReader.Read(new InventoryTexts(a, b, c, b is null ? [] : [b], a, c)));
            AssertAnswer(HostDescriptionReader.Read(new InventoryTexts($"00:00.0 {a}\n\t{b}\n00: {c}\n", a, b, Sysfs: $"0000:00:00.0 {c}={a} {b}")));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(7654321, 89));
    }

    private static void AssertAnswer(Domain.Outcome<HostDescription> read)
    {
        if (read.Fault is { } fault)
        {
            var field = Assert.Single(fault.Errors).Key;
            Assert.Contains(field.Split('[')[0], Fields);
            return;
        }
        var description = read.Value;
        var addresses = description.Inventory.Functions.Select(f => f.Address).ToHashSet();
        Assert.Equal(addresses.Count, description.Inventory.Functions.Count);
        Assert.All(description.Inventory.Functions, f =>
        {
            Assert.True(f.Parent is null || (addresses.Contains(f.Parent.Value) && f.Parent.Value.Bus < f.Address.Bus));
            Assert.True(description.ConfigurationSpaces[f.Address].Length is 256 or 4096);
        });
    }

    private static string Mutate(string text, Random random, int percentOf100 = 1)
    {
        const string alphabet = "\0\n\r\t :.[]0123456789abcdefx<>/='\"&;-+,*\uFEFF\uD83Dé";
        var characters = text.ToCharArray();
        var count = 1 + (characters.Length * percentOf100 / 5000);
        for (var i = 0; i < count; i++)
            characters[random.Next(characters.Length)] = alphabet[random.Next(alphabet.Length)];
        return new string(characters);
    }
}
