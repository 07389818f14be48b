using ControlPlane.Testing.Postgres;

[assembly: AssemblyFixture(typeof(MigratedPostgres))]

// Tests wait for disks and for the emulator's clock more than they compute: more of them than there are cores share a machine well.
[assembly: CollectionBehavior(MaxParallelThreads = 8)]
