"""From one database into another: an SQLite shop becomes one on PostgreSQL, row for row.

rows       what every table holds, as values that do not depend on the database; their digest
problems   what SQLite keeps and PostgreSQL cannot
target     the database to move into: empty, filled in one transaction, or emptied again
moving     the move
"""
