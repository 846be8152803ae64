"""Prices and texts of products as a spreadsheet, out and in again.

* `cells` - the columns, and texts that no spreadsheet takes for a formula
* `products` - products as rows, from their newest versions, a few hundred at a time
* `exporting` - products as rows of texts; `writing` - rows of anything as CSV and XLSX
* `reading` - rows of a file that somebody sent, whatever wrote it
* `values` - one cell of one column, as it is stored, or why it cannot be
* `comparing` - the dry run: what a file would change
* `applying` - the same, done, after somebody confirmed it
* `asking` - an editor sends a file, or confirms what it changes
* `tasks` - both in the background
"""
