"""Pictures of a catalogue, from addresses or local photos to one checked folder that encoders read.

`prism_rec.stages.images` makes the folder. It has:

    pictures.parquet         one row per item of the table, in the table's order (below)
    pictures/ab/ab....jpg    RGB JPEG, upright, shorter side at most `size`; the name is the SHA-256 of its source
    sources.parquet          what was asked for: item_id, sources (a list, the best first)
    journal.jsonl            one line per outcome, appended as it happens; makes a killed run safe to resume
    lock                     held by the run that writes the folder
    manifest.json            written last (stage `images`); without it the folder is unfinished

Columns of pictures.parquet (null if there is no picture, unless the column says otherwise):

    item_id   string   as in the table; never used as a path
    status    string   ok | retry (temporary failure) | failed (permanent failure) | none (no source in the table)
    reason    string   null if ok, else one word: http-404, timeout, not-a-picture, address-refused, ...
    file      string   path relative to the folder, "pictures/ab/ab....jpg"; several items may share a file
    sha256    string   of the source bytes: the key for a cache of vectors (the folder has one `size`)
    stored_sha256  string  of the stored file
    bytes     int64    length of the source bytes
    width     int64    of the upright source in pixels; the stored file is usually smaller
    height    int64    likewise
    url       string   the source that gave the picture, else the source that `reason` is about
    etag      string   the server's name for this version; null if the server gave none
    attempts  int64    requests made for `url` over all runs, without redirects; 0 for local photos

A reader takes the rows with `status == "ok"`; all other items have no picture.
"""

STAGE = "images"
PICTURES = "pictures.parquet"
JOURNAL = "journal.jsonl"
SOURCES = "sources.parquet"
