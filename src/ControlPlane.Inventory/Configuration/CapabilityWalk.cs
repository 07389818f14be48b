namespace ControlPlane.Inventory.Configuration;

/// <summary>Walks the two linked lists of capabilities. Dumps come from broken devices too, so every step is bounded.</summary>
internal static class CapabilityWalk
{
    private const int StatusHasCapabilities = 0x10;

    // The kernel's limits: a capability takes at least 4 bytes of 192 (PCI_FIND_CAP_TTL), an extended one 8 bytes of 3840.
    private const int LongestList = 48;
    private const int LongestExtendedList = (ConfigurationSpace.ExtendedLength - ConfigurationSpace.ConventionalLength) / 8;

    public static List<PciCapability> Walk(ConfigurationSpace space, List<string> problems)
    {
        var found = new List<PciCapability>();
        WalkConventional(space, found, problems);
        WalkExtended(space, found, problems);
        return found;
    }

    private static void WalkConventional(ConfigurationSpace space, List<PciCapability> found, List<string> problems)
    {
        if (((space.Word(0x06) ?? 0) & StatusHasCapabilities) == 0)
            return;
        // A CardBus bridge has its pointer elsewhere (PC Card standard, Yenta).
        var offset = (space.Byte(space.Header == HeaderType.CardBus ? 0x14 : 0x34) ?? 0) & ~3;
        var seen = new HashSet<int>();
        for (var steps = 0; offset != 0; steps++)
        {
            if (offset < 0x40)
            {
                problems.Add($"a capability pointer leads into the header, to {offset:x2}");
                return;
            }
            if (!seen.Add(offset) || steps == LongestList)
            {
                problems.Add($"the capability list loops at {offset:x2}");
                return;
            }
            if (space.Word(offset) is not { } header)
                return; // Beyond the known bytes: a dump without privileges. KnowsCapabilities says so.
            if ((header & 0xff) == 0xff)
            {
                problems.Add($"the capability at {offset:x2} reads as all ones");
                return;
            }
            found.Add(new PciCapability(header & 0xff, offset, Extended: false, Version: 0));
            offset = (header >> 8) & ~3;
        }
    }

    private static void WalkExtended(ConfigurationSpace space, List<PciCapability> found, List<string> problems)
    {
        var offset = ConfigurationSpace.ConventionalLength;
        var seen = new HashSet<int>();
        for (var steps = 0; offset != 0; steps++)
        {
            if (offset < ConfigurationSpace.ConventionalLength)
            {
                problems.Add($"an extended capability pointer leads out of extended space, to {offset:x3}");
                return;
            }
            if (!seen.Add(offset) || steps == LongestExtendedList)
            {
                problems.Add($"the extended capability list loops at {offset:x3}");
                return;
            }
            if (space.DoubleWord(offset) is not { } header || header == 0)
                return;
            if (header == 0xffff_ffff)
            {
                // All ones at its start: no extended space behind this function, which is common and no fault.
                if (offset != ConfigurationSpace.ConventionalLength)
                    problems.Add($"the extended capability at {offset:x3} reads as all ones");
                return;
            }
            // Id 0 at the start is a list whose first entry is hidden; the list goes on (PCIe base specification, 7.9.28: Null capability).
            if ((header & 0xffff) != 0)
                found.Add(new PciCapability((int)header & 0xffff, offset, Extended: true, Version: (int)(header >> 16) & 0xf));
            offset = (int)(header >> 20) & 0xffc;
        }
    }
}
