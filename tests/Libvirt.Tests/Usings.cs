global using LibvirtSharp;
using ControlPlane.Testing.Postgres;

[assembly: AssemblyFixture(typeof(MigratedPostgres))]
