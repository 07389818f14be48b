using ControlPlane.Sagas;
using Xunit;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>The laws of sagas as tests: derive one empty class for each saga.</summary>
public abstract class SagaLaws<TSubject> where TSubject : ISagaLawSubject, new()
{
    private static readonly SagaLawProof Proof = new(new TSubject());

    /// <summary>Every law at every step of every scenario that it can be asked at.</summary>
    public static TheoryData<string, SagaLaw, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, SagaLaw, string>();
            foreach (var (scenario, law, step) in Proof.Cases)
                cases.Add(scenario, law, step);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Holds(string scenario, SagaLaw law, string step) => Proof.HoldsAsync(scenario, law, step);

    [Fact]
    public void Every_step_of_the_plan_is_started_in_some_scenario()
    {
        var subject = new TSubject();
        var plan = new SagaRegistry([subject.Saga]).Descriptions[0];
        var never = plan.Steps.Select(s => s.Name).Where(step => subject.Scenarios.All(s => s.LeftOut.Contains(step)));

        Assert.Empty(never);
    }
}
