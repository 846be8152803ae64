"""Backups of the whole shop, and the way back.

    depot         the folder that backups are kept in: files by their digest, shared by all of them
    manifest      what one backup holds, and how that is checked
    shop_files    which files the rows of a database name
    database      a snapshot of the database while the shop writes, and putting one back
    postgres      PostgreSQL's own programs
    making        one backup
    restoring     checking one, and putting it back

A backup appears by the renaming of a folder, as the last thing that is done: what was killed before is
called `.….partial` and removed by the next one.
"""
