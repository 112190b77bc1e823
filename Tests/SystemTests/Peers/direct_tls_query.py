"""`PORT HOST CA`: a query over TLS that starts without PostgreSQL's own negotiation (libpq 17 and later)."""
import sys

import psycopg

port, host, authority = sys.argv[1:]
print("libpq", psycopg.pq.version() // 10000)
with psycopg.connect(
    host=host, hostaddr="127.0.0.1", port=port, user="postgres", dbname="postgres", sslmode="verify-full",
    sslnegotiation="direct", sslrootcert=authority, connect_timeout=10,
) as connection:
    print("encrypted", connection.pgconn.ssl_in_use)
    answer = connection.execute("select sum(n) from generate_series(1, 100000) as t(n)").fetchone()
    print("sum", answer[0])
    # The server itself speaks plain text: the gateway ended TLS.
    print("server", connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone()[0])
