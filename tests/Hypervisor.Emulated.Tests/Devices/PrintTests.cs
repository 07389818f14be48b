using System.Text.RegularExpressions;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tests.Devices;

/// <summary>A printer that is shared by two levels of spooling: the guest's own, and the VMM's.</summary>
public sealed partial class PrintTests : EmulatedTest
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact] // Two VMs print at the same time: each job stands on the paper whole.
    public Task Jobs_of_two_guests_are_never_mixed_on_the_paper() => OnTestFleet(async fleet =>
    {
        await PrintTwo(fleet);

        var jobs = JobsOn(ModelOf(fleet.Source).Peripherals.Spool.Paper);
        Assert.True(jobs.Count >= 10);
        Assert.All(jobs, job => Assert.Equal((1, 20, 20), (job.First, job.Last, job.Lines)));
        Assert.Equal(2, jobs.Select(j => j.Guest).Distinct().Count());
    });

    [Fact] // What the second level is for.
    public Task Without_the_second_level_lines_of_two_guests_are_mixed() => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Source, HostLabels.PrintSpool, "off");
        await PrintTwo(fleet);

        Assert.Contains(JobsOn(ModelOf(fleet.Source).Peripherals.Spool.Paper), job => job.Lines < 20);
    });

    [Fact] // What the first level is for: three programs write line by line in turn.
    public Task A_guests_programs_are_never_mixed_either() => OnTestFleet(async fleet =>
    {
        await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Print, "5")));
        await Look(fleet);

        var jobs = JobsOn(ModelOf(fleet.Source).Peripherals.Spool.Paper);
        Assert.Equal(["1", "2", "3"], jobs.Select(j => j.Program).Distinct().Order());
        Assert.All(jobs, job => Assert.Equal(20, job.Lines));
    });

    [Fact] // Of each byte: the status, the data, the strobe's begin and its end. Of each line once more the status; of each job its begin and end.
    public Task Each_byte_leaves_the_guest_four_times() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Print, "1")));
        await Look(fleet);

        var printing = DomainOf(fleet.Source, definition).Peripherals!.Printing;
        var begun = printing.Lines % 20 == 0 ? 0 : 1;
        Assert.True(printing.Jobs > 0);
        Assert.Equal((4 * printing.SentBytes) + printing.Lines + (2 * printing.Jobs) + begun, printing.Exits);
        var exits = Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups.Single(g => g.Name == "exits");
        Assert.True(exits.Counters.Single(c => c.Name == "io-instruction").Value >= printing.Exits);
    });

    [Fact] // A program of the guest's, from its memory: A on LPT1.
    public void A_program_prints_a_letter_with_three_trapped_instructions()
    {
        using var clock = new ModelClock(new VirtualTime());
        var (memory, exits, spool) = (new GuestMemory(1 << 20), new ExitCounters(), new HostSpool(clock, () => false));
        var cpu = new VirtualCpu(memory, new PortMap(), exits, Virtualization.Hardware);
        cpu.Ports.Map(ParallelPort.FirstPort, ParallelPort.Registers, new ParallelPort(new VirtualPrinter(spool)));
        memory.Write(0x1000, new ProgramBuilder(0x1000)
            .Out(ParallelPort.FirstPort, (byte)'A')
            .Out(ParallelPort.FirstPort + 2, ParallelPort.NotInitialize | ParallelPort.Select | ParallelPort.Strobe)
            .Out(ParallelPort.FirstPort + 2, ParallelPort.NotInitialize | ParallelPort.Select)
            .Halt().Build());

        cpu.Start(0, 0x1000);

        Assert.Equal(("A", 3), (spool.Paper, exits[ExitReason.IoInstruction]));
    }

    [Fact]
    public void The_printer_takes_jobs_in_the_order_in_which_they_were_closed_at_its_own_speed()
    {
        var time = new VirtualTime();
        using var clock = new ModelClock(time);
        var spool = new HostSpool(clock, () => true);
        var (first, second) = (new VirtualPrinter(spool), new VirtualPrinter(spool));
        Send(first, "a1\n");
        Send(second, "b1\n");
        Send(first, "a2\n");
        Assert.Equal("", Settled(TimeSpan.Zero));

        second.EndJob();
        first.EndJob();
        Assert.Equal(1, spool.WaitingJobs);

        Assert.Equal("b1\n", Settled(HostSpool.Line));
        Assert.Equal("b1\n", Settled(HostSpool.Line));
        Assert.Equal("b1\na1\na2\n", Settled(HostSpool.Line));
        Assert.Equal(0, spool.HeldBytes);

        string Settled(TimeSpan span)
        {
            time.Advance(span);
            clock.Enter().Dispose();
            return spool.Paper;
        }
    }

    [Fact]
    public void A_full_spool_shows_as_a_busy_printer_and_is_free_again_when_a_job_is_printed()
    {
        var time = new VirtualTime();
        using var clock = new ModelClock(time);
        var spool = new HostSpool(clock, () => true);
        var (printer, other) = (new VirtualPrinter(spool), new VirtualPrinter(spool));
        var port = new ParallelPort(other);
        for (var n = 0; n < HostSpool.MaxBytes; n++)
            printer.Take((byte)'x');
        Assert.Equal(0, port.ReadRegister(1) & ParallelPort.NotBusy);
        other.Take((byte)'y');
        Assert.Equal((1, HostSpool.MaxBytes), (spool.LostBytes, spool.HeldBytes));

        printer.EndJob();
        time.Advance(Hour);
        clock.Enter().Dispose();

        Assert.Equal(ParallelPort.NotBusy, port.ReadRegister(1) & ParallelPort.NotBusy);
        Assert.Equal((1, 0), (spool.PrintedJobs, spool.HeldBytes));
    }

    [Fact]
    public Task A_job_in_the_middle_of_which_the_guest_moves_is_printed_whole_by_the_target() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Print, "1")));
        await Pass(fleet, 5);
        Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        await Pass(fleet, 3.42);
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        var (leaving, arriving) = (DomainOf(fleet.Source, definition), DomainOf(fleet.Target, definition));
        using (ModelOf(fleet.Source).Clock.Enter())
        {
            Assert.True(ModelOf(fleet.Source).Peripherals.Spool.HeldBytes > 0);
            GuestMachine.Continue(arriving, leaving);
            arriving.State = DomainState.Running;
            arriving.Peripherals!.TakeOver(leaving.Peripherals!);
            GuestPower.Off(ModelOf(fleet.Source), leaving);
        }
        Ok(await fleet.Target.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        await Pass(fleet, 60);
        Ok(await fleet.Source.PingAsync(Ct));

        var (source, target) = (ModelOf(fleet.Source).Peripherals.Spool, ModelOf(fleet.Target).Peripherals.Spool);
        Assert.NotEmpty(JobsOn(target.Paper));
        Assert.All(JobsOn(source.Paper).Concat(JobsOn(target.Paper)), job => Assert.Equal((1, 20), (job.First, job.Lines)));
        Assert.Equal(0, source.HeldBytes);
    });

    [Theory]
    [InlineData("2", 2, 20)]
    [InlineData("2x30", 2, 30)]
    public void A_pattern_is_read(string text, int jobs, int lines) => Assert.Equal(new PrintPattern(jobs, lines), PrintPattern.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("1x0")]
    [InlineData("1x2x3")]
    [InlineData("many")]
    public void What_cannot_be_read_prints_nothing(string text) => Assert.Null(PrintPattern.Parse(text));

    private async Task PrintTwo(TestFleet fleet)
    {
        foreach (var _ in Enumerable.Range(0, 2))
            await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Print, "2")));
        await Look(fleet);
    }

    /// <summary>Somebody looks, and then everything that was begun by it comes to its end.</summary>
    private static async Task Look(TestFleet fleet)
    {
        await Pass(fleet, 5);
        Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct));
        await Pass(fleet, 60);
        Ok(await fleet.Source.PingAsync(Ct));
    }

    private static void Send(VirtualPrinter printer, string text)
    {
        foreach (var letter in text)
            printer.Take((byte)letter);
    }

    /// <summary>Runs of lines of one program of one guest whose numbers follow each other.</summary>
    private static List<(string Guest, string Program, int First, int Last, int Lines)> JobsOn(string paper)
    {
        var jobs = new List<(string Guest, string Program, int First, int Last, int Lines)>();
        foreach (var match in PrintedLine().Matches(paper).Cast<Match>())
        {
            var (guest, program, number) = (match.Groups[1].Value, match.Groups[2].Value, int.Parse(match.Groups[3].Value, null));
            if (jobs.Count > 0 && jobs[^1] is var last && (last.Guest, last.Program, last.Last + 1) == (guest, program, number))
                jobs[^1] = last with { Last = number, Lines = last.Lines + 1 };
            else
                jobs.Add((guest, program, number, number, 1));
        }
        return jobs;
    }

    [GeneratedRegex(@"([^\n]+): program (\d), line (\d+) of 20\n", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PrintedLine();
}
