"""Pictures of a catalogue, from addresses or local photos to one checked folder that encoders read.

`prism_rec.features.images.gather.gather_images` makes the folder. It holds:

    pictures.parquet         one row an item of the table, in the table's order (below)
    pictures/ab/ab....jpg    RGB JPEG, upright, shorter side at most `size`; named by SHA-256 of its source
    sources.parquet          what was asked for: item_id, sources (a list, in order of preference)
    journal.jsonl            one line an outcome, appended as it happens; makes a killed run safe to resume
    manifest.json            written last (stage `images`); without it the folder is unfinished

Columns of pictures.parquet (null where a picture was not had, unless told otherwise):

    item_id   string   as in the table; never used as a path
    status    string   ok | retry (failed, may pass later) | failed (for good) | none (table names no picture)
    reason    string   null if ok, else one word: http-404, timeout, not-a-picture, address-refused, ...
    file      string   path relative to the folder, "pictures/ab/ab....jpg"; items may share one
    sha256    string   of the source bytes: the key for a cache of vectors (the folder has one `size`)
    bytes     int64    length of the source bytes
    width     int64    of the source in pixels, upright; the stored file is usually smaller
    height    int64    likewise
    url       string   the source that gave the picture, else the one that `reason` speaks of
    etag      string   what the server called this version; null if it did not
    attempts  int64    requests made for `url` over all runs, redirects not counted; 0 for local photos

A reader takes the rows with `status == "ok"`; all other items are absent, not blank.
"""

STAGE = "images"
PICTURES = "pictures.parquet"
JOURNAL = "journal.jsonl"
