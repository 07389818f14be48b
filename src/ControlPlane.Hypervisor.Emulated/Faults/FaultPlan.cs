using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Faults;

/// <summary>
/// What shall go wrong, and when: tests and simulations say it here. Each rule is for one call and its nth occurrence from the moment at
/// which the rule was made, on one host or on any.
/// </summary>
public sealed class FaultPlan
{
    private readonly Lock gate = new();
    private readonly List<Rule> rules = [];
    private volatile bool any;

    /// <summary>The call is refused and does nothing.</summary>
    public void Fail(HypervisorCall call, Fault fault, int nth = 1, HostId? host = null) => Add(new Rule(call, host, nth) { Fault = fault });

    /// <summary>The call does its work, but its answer is lost: the caller sees a host that does not answer.</summary>
    public void DropAnswer(HypervisorCall call, int nth = 1, HostId? host = null) => Add(new Rule(call, host, nth) { DropsAnswer = true });

    /// <summary>The call begins only after this time.</summary>
    public void Delay(HypervisorCall call, TimeSpan delay, int nth = 1, HostId? host = null) => Add(new Rule(call, host, nth) { Delay = delay });

    /// <summary>The host dies before the call does anything.</summary>
    public void CrashBefore(HypervisorCall call, int nth = 1, HostId? host = null) => Add(new Rule(call, host, nth) { CrashesBefore = true });

    /// <summary>The host dies once the call's work is done; the answer is lost.</summary>
    public void CrashAfter(HypervisorCall call, int nth = 1, HostId? host = null) => Add(new Rule(call, host, nth) { CrashesAfter = true });

    /// <summary>Nothing goes wrong any more.</summary>
    public void Clear()
    {
        lock (gate)
        {
            rules.Clear();
            any = false;
        }
    }

    /// <summary>Counts the call and answers what shall happen to it.</summary>
    internal Verdict Next(HypervisorCall call, HostId host)
    {
        if (!any)
            return Verdict.Fine;
        lock (gate)
        {
            var verdict = Verdict.Fine;
            foreach (var rule in rules)
            {
                if (rule.Call != call || (rule.Host is { } only && only != host) || ++rule.Seen != rule.Nth)
                    continue;
                verdict = new Verdict(
                    verdict.Fault ?? rule.Fault, verdict.Delay + rule.Delay, verdict.DropsAnswer || rule.DropsAnswer,
                    verdict.CrashesBefore || rule.CrashesBefore, verdict.CrashesAfter || rule.CrashesAfter);
            }
            rules.RemoveAll(r => r.Seen >= r.Nth);
            any = rules.Count > 0;
            return verdict;
        }
    }

    private void Add(Rule rule)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rule.Nth, 1, nameof(rule));
        lock (gate)
        {
            rules.Add(rule);
            any = true;
        }
    }

    private sealed class Rule(HypervisorCall call, HostId? host, int nth)
    {
        public HypervisorCall Call => call;

        public HostId? Host => host;

        public int Nth => nth;

        public int Seen { get; set; }

        public Fault? Fault { get; init; }

        public TimeSpan Delay { get; init; }

        public bool DropsAnswer { get; init; }

        public bool CrashesBefore { get; init; }

        public bool CrashesAfter { get; init; }
    }

    /// <summary>What happens to one call.</summary>
    internal sealed record Verdict(Fault? Fault, TimeSpan Delay, bool DropsAnswer, bool CrashesBefore, bool CrashesAfter)
    {
        public static readonly Verdict Fine = new(null, TimeSpan.Zero, false, false, false);
    }
}
