"""Makes the hotline's database, with customers who do not exist: `python make_database.py [FILE]`.

Their telephone numbers are of those that are kept free for fiction (Ofcom: 020 7946 0000 to 0999).
"""

import sqlite3
import sys
from pathlib import Path

SCHEMA = """
create table customers (
    id       integer primary key,
    name     text not null,
    phone    text unique,                -- as the switch shows it
    language text not null default 'en',
    vip      integer not null default 0,
    adviser  text,                       -- an agent's id
    pin      text not null               -- in a real service: not in this table, and not as it is
);
create table policies (
    number   text primary key,           -- six digits
    customer integer not null references customers,
    kind     text not null,              -- car, home, life
    status   text not null,              -- active, lapsed
    premium  text not null,              -- decimal
    due      text not null               -- date
);
create table claims (
    number   text primary key,
    policy   text not null references policies,
    status   text not null,              -- received, examined, paid
    amount   text not null,              -- decimal
    changed  text not null               -- date
);
create table surveys (call text, agent text, mark integer, at text not null default current_timestamp);
"""

CUSTOMERS = [
    (1, "Ada Byron", "02079460001", "en", 1, "1001", "1815"),
    (2, "Li Wei", "02079460002", "zh", 0, "1002", "2468"),
    (3, "Bob Marsh", "02079460003", "en", 0, None, "9248"),
    (4, "Eve Stone", "02079460004", "en", 0, "1004", "1357"),  # her adviser has left
]
POLICIES = [
    ("100001", 1, "home", "active", "1250.00", "2026-12-31"),
    ("100002", 2, "car", "active", "312.50", "2027-03-15"),
    ("100003", 3, "car", "lapsed", "280.00", "2026-10-01"),
    ("100004", 4, "life", "active", "96.20", "2027-01-20"),
]
CLAIMS = [
    ("7001", "100001", "examined", "4800.00", "2026-11-12"),
    ("7002", "100002", "paid", "950.75", "2026-09-30"),
    ("7003", "100003", "received", "1200.00", "2026-11-20"),
]


def make_database(file: Path) -> None:
    """Make it; one that is there already stays as it is."""
    if file.exists():
        return
    connection = sqlite3.connect(file)
    with connection:
        connection.executescript(SCHEMA)
        connection.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?)", CUSTOMERS)
        connection.executemany("insert into policies values (?, ?, ?, ?, ?, ?)", POLICIES)
        connection.executemany("insert into claims values (?, ?, ?, ?, ?)", CLAIMS)
    connection.close()


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "customers.db")
    make_database(target)
    print(f"{target}: {len(CUSTOMERS)} customers")
