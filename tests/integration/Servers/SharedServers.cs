using Parallax.Testing.Servers;

// One pool for the whole run: a test class that wants it takes it in its constructor.
[assembly: AssemblyFixture(typeof(ServerPool))]
