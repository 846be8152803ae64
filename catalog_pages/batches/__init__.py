"""Many files at once: received, sorted into albums by their tags, corrected, and made into products.

* `sorting` - files of a batch as they arrive, and the albums that they belong to
* `covers` - pictures that were dropped with the music, and which album each belongs to
* `correcting` - what an editor changes in the table
* `making` - albums become drafts, and drafts are published; in the background, by `tasks`

Grouping is that of `catalog_pages.ingest`: a folder that is imported and files that are dropped make the
same albums.
"""
