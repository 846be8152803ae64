"""What editors see of the catalogue in the Wagtail admin, registered by `catalog_pages.wagtail_hooks`.

* `assets` - the list of audio files, one file's facts, and its deletion
* `chooser` - the window in which a track's file is chosen or uploaded
* `upload` - the page that takes new files, whole with `upload_handlers`, in pieces by `upload_api`
* `replacing` - a new version in the place of a file
* `authoring` - what the product editor asks for while somebody writes
* `publishing` - refusals of unfinished products on the roads that have no form
* `deleting` - what may not be deleted, and why

Views translate; the rules live in `catalog_pages.publishing` and `catalog_pages.assets`.
"""
