using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Testing;

namespace ControlPlane.Dev.Tests;

/// <summary>Counting what test programs report: a wrong sum would hide a failure.</summary>
public sealed class TestEventsTests
{
    private readonly TestEvents events = new();

    [Fact]
    public void Each_test_counts_once_by_how_it_ended()
    {
        Feed("test-starting", "1", "A.holds");
        Feed("test-passed", "1");
        Feed("test-finished", "1");
        Feed("test-starting", "2", "B.breaks");
        Feed("test-failed", "2");
        Feed("test-finished", "2");
        Feed("test-skipped", "3");
        Feed("test-assembly-finished", "");

        Assert.Equal((1, 1, 1), (events.Passed, events.Failures.Count, events.Skipped));
        Assert.Equal("B.breaks", events.Failures[0].Name);
        Assert.Contains("expected 1", events.Failures[0].Message, StringComparison.Ordinal);
        Assert.True(events.IsFinished);
    }

    [Fact]
    public void A_program_that_dies_in_the_middle_has_failed_and_the_test_it_was_in_is_named()
    {
        Feed("test-starting", "1", "A.holds");
        Feed("test-passed", "1");
        Feed("test-finished", "1");
        Feed("test-starting", "2", "B.crashes");

        Assert.Contains("B.crashes", TestRun.Verdict(events, 139), StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_exits_badly_after_all_tests_passed_has_failed()
    {
        Feed("test-passed", "1");
        Feed("test-assembly-finished", "");

        Assert.NotNull(TestRun.Verdict(events, 1));
        Assert.Null(TestRun.Verdict(events, 0));
    }

    [Fact]
    public void Failed_tests_speak_for_themselves()
    {
        Feed("test-failed", "1");
        Feed("test-assembly-finished", "");

        Assert.Null(TestRun.Verdict(events, 1));
    }

    [Fact]
    public void A_program_that_was_not_built_a_hung_one_and_an_empty_one_have_failed()
    {
        Assert.NotNull(TestRun.Verdict(events, Tool.NotFound));
        Assert.NotNull(TestRun.Verdict(events, null));
        Feed("test-assembly-finished", "");
        Assert.NotNull(TestRun.Verdict(events, 0));
    }

    [Theory]
    [InlineData("")]
    [InlineData("plain output of a test")]
    [InlineData("{ not json")]
    [InlineData("{\"json\":\"but no event\"}")]
    [InlineData("[1,2]")]
    public void Other_output_is_no_event(string line)
    {
        Assert.False(events.Read(line));
        Assert.Equal((0, 0, 0), (events.Passed, events.Failures.Count, events.Skipped));
    }

    [Theory]
    [InlineData(3, 0, 0, "3 passed, 0 failed", 0)]
    [InlineData(3, 1, 0, "3 passed, 1 failed", 1)]
    [InlineData(3, 0, 2, "3 passed, 0 failed, 2 skipped", 0)]
    [InlineData(0, 0, 0, "0 passed, 0 failed", 1)]
    public void The_closing_line_and_the_exit_code_say_how_it_went(int passed, int failed, int skipped, string line, int exitCode)
    {
        var failures = Enumerable.Range(0, failed).Select(n => new FailedTest($"{n}", "")).ToList();
        var totals = TestTotals.Of([new ProjectResult("A.Tests", passed, 0, failures, TimeSpan.Zero), new ProjectResult("B.Tests", 0, skipped, [], TimeSpan.Zero)]);

        Assert.Equal(line, totals.ClosingLine);
        Assert.Equal(exitCode, totals.ExitCode);
    }

    [Fact]
    public void The_table_has_a_line_for_each_project_with_the_slowest_first()
    {
        var quick = new ProjectResult("A.Tests", 12, 1, [], TimeSpan.FromSeconds(1.5));
        var slow = new ProjectResult("Longer.Tests", 3, 0, [new FailedTest("B.breaks", "")], TimeSpan.FromSeconds(20));

        var cells = TestTable.Lines([quick, slow]).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(
            [["project", "passed", "failed", "skipped", "seconds"], ["Longer.Tests", "3", "1", "0", "20.0"], ["A.Tests", "12", "0", "1", "1.5"]],
            cells);
    }

    private void Feed(string type, string id, string name = "") => Assert.True(events.Read(
        $$"""{"$type":"{{type}}","TestUniqueID":"{{id}}","TestDisplayName":"{{name}}","Messages":["expected 1"],"StackTraces":["at B"]}"""));
}
