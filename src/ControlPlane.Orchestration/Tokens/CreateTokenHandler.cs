using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Projects;

namespace ControlPlane.Orchestration.Tokens;

/// <summary>Makes a token. Its secret leaves in the answer and stays nowhere.</summary>
public sealed class CreateTokenHandler(TokenStore tokens, RecordedChange change, IIdSource ids, TimeProvider clock)
{
    private static readonly TimeSpan TimeToLiveMin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TimeToLiveMax = TimeSpan.FromDays(3650);

    public Task<Outcome<CreatedToken>> HandleAsync(CreateToken command, CancellationToken ct) =>
        HandleAsync(command, TokenSecret.Draw(TokenId.From(ids.Next())), ct);

    /// <param name="secret">Drawn before by a caller that must keep it safe first: after the commit it would be lost with the process.</param>
    public async Task<Outcome<CreatedToken>> HandleAsync(CreateToken command, TokenSecret secret, CancellationToken ct)
    {
        var errors = new FieldErrors();
        errors.Label("name", command.Name);
        if (command.TimeToLive is { } given)
            errors.Range("ttlSeconds", (long)given.TotalSeconds, (long)TimeToLiveMin.TotalSeconds, (long)TimeToLiveMax.TotalSeconds, " seconds");
        var ofInstallation = command.Role >= Role.Operator;
        if (ofInstallation && command.Project is not null)
            errors.Impossible("project", $"a token of the role {command.Role.ToString().ToLowerInvariant()} holds for the installation, not for a project.");
        if (!ofInstallation && command.Project is null)
            errors.Malformed("project", "is required for this role.");
        if (errors.Any)
            return errors.ToFault();

        var now = clock.GetUtcNow();
        var token = new Token(secret.Id, command.Name!, command.Role, command.Project, secret.Hash(), now + command.TimeToLive, now, null);
        return await change.CommitAsync(
            new CreatedToken(token, secret), unit => tokens.Insert(unit, token), RecordedEvent.Of("token", "created", "tokens", token.Id.Value, token.Name), ct);
    }
}
