using Spectre.Console;

namespace ControlPlane.Dev.Terminal;

/// <summary>What people see: colours and a spinner on a terminal, plain lines elsewhere, so that a log stays readable.</summary>
internal sealed class Screen
{
    private readonly IAnsiConsole console;
    private readonly TextWriter writer;

    public Screen()
        : this(Console.Out, isTerminal: !Console.IsOutputRedirected)
    {
    }

    internal Screen(TextWriter writer, bool isTerminal)
    {
        (this.writer, IsTerminal) = (writer, isTerminal);
        console = isTerminal
            ? AnsiConsole.Console
            : AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(writer) });
        if (!isTerminal)
            console.Profile.Width = int.MaxValue; // Nothing wraps a line in a file.
    }

    public bool IsTerminal { get; }

    public void Heading(string text) => console.MarkupLineInterpolated($"[bold blue]==>[/] [bold]{text}[/]");

    public void Good(string text) => console.MarkupLineInterpolated($"[green]ok[/]  {text}");

    public void Warn(string text) => console.MarkupLineInterpolated($"[yellow]note[/] {text}");

    public void Bad(string text) => console.MarkupLineInterpolated($"[red]error[/] {text}");

    public void Quiet(string text) => console.MarkupLineInterpolated($"[grey]{text}[/]");

    /// <summary>A line exactly as it is, for programs that read the output.</summary>
    public void Plain(string text)
    {
        // By the stream itself: not a style, not a wrap, not an escape.
        writer.WriteLine(text);
        writer.Flush();
    }

    /// <summary>
    /// Runs work that reports where it is: in one line that changes on a terminal, in a line per report elsewhere.
    /// </summary>
    public async Task<T> WatchAsync<T>(string title, Func<Action<string>, Task<T>> work)
    {
        if (!IsTerminal)
        {
            Plain($"    {title}");
            return await work(text => Plain($"    {text}"));
        }

        return await console.Status().Spinner(Spinner.Known.Dots).StartAsync(Markup.Escape(title),
            context => work(text => context.Status(Markup.Escape($"{title}: {Shorten(text)}"))));
    }

    private string Shorten(string text)
    {
        var room = Math.Max(20, console.Profile.Width - 40);
        return text.Length <= room ? text : text[..(room - 1)] + "…";
    }
}
