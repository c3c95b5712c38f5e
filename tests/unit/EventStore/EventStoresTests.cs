using Npgsql;
using Parallax.EventStore;
using Parallax.EventStore.Memory;
using Parallax.EventStore.Postgres;

namespace Parallax.UnitTests.EventStore;

public class EventStoresTests
{
    [Fact]
    public async Task Open_Memory_IsInMemory()
    {
        await using var store = EventStores.Open("memory:", TimeProvider.System);
        Assert.IsType<InMemoryEventStore>(store);
    }

    [Theory]
    [InlineData("postgres://parallax@db.example:5433/events?passwordfile=/run/secrets/p")]
    [InlineData("postgresql://parallax:secret@db.example:5433/events")]
    [InlineData("Host=db.example;Port=5433;Username=parallax;Password=secret;Database=events")]
    [InlineData("host=db.example;port=5433;user id=parallax;database=events;password file=/run/secrets/p")]
    public async Task Open_Postgres_NeedsNoServerYet(string where)
    {
        await using var store = EventStores.Open(where, TimeProvider.System);
        Assert.IsType<PostgresEventStore>(store);
        Assert.Equal("postgres://parallax@db.example:5433/events", EventStores.Describe(where));
    }

    [Theory]
    [InlineData("mysql://host/events", "mysql")]
    [InlineData("postgres://user:s3cret@:5432/events", "no")]
    [InlineData("postgres://user:s3cret@host/events?ssl=s3cret&passwordfile=/x", "leave one out|ssl")]
    [InlineData("postgres://user:s3cret@host/events?unknown=s3cret", "unknown")]
    [InlineData("postgres://user:s3cret@host/events?timeout=s3cret", "imeout")]
    [InlineData("postgres://user:s3cret@host/events?alone", "NAME=VALUE")]
    [InlineData("Host=host;Username=user;Password=s3cret;Password File=/x", "leave one out")]
    [InlineData("Username=user;Password=s3cret", "no host")]
    public void Open_WhatIsNotRight_SaysSoWithoutThePassword(string where, string expected)
    {
        var problem = Assert.Throws<EventStoreException>(() => EventStores.Open(where, TimeProvider.System));
        Assert.Contains(expected.Split('|'), part => problem.Message.Contains(part, StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Url_IsReadWhole()
    {
        var address = PostgresAddress.Parse("postgres://us%40er@[::1]/da%20ta?passwordfile=/run/a%20b&sslmode=verify-full&sslrootcert=/ca.pem&Maximum%20Pool%20Size=3");
        var settings = new NpgsqlConnectionStringBuilder(address.ConnectionString);

        Assert.Equal(("us@er", "da ta", 5432, "/run/a b"), (settings.Username, settings.Database, settings.Port, address.PasswordFile));
        Assert.Equal((SslMode.VerifyFull, "/ca.pem", 3), (settings.SslMode, settings.RootCertificate, settings.MaxPoolSize));
        Assert.Null(settings.Password);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.DiskFull, "full")]
    [InlineData(PostgresErrorCodes.InsufficientPrivilege, "grant")]
    [InlineData(PostgresErrorCodes.ReadOnlySqlTransaction, "standby")]
    [InlineData(PostgresErrorCodes.TooManyConnections, "max_connections")]
    [InlineData(PostgresErrorCodes.CannotConnectNow, "starting")]
    [InlineData("XX000", "XX000")]
    public void Errors_OfTheServer_SayWhatToDo(string code, string expected) => Assert.Contains(
        expected,
        PostgresErrors.Translate(new PostgresException("the reason", "ERROR", "ERROR", code), "postgres://host/events").Message,
        StringComparison.Ordinal);
}
