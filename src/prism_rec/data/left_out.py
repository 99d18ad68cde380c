"""Users and items of a log that a dataset does not have, so that it can say why."""

import polars as pl

SCHEMA = {"role": pl.String, "id": pl.String, "events": pl.Int64}
MOST = 1_000_000
"""Users and items; if more are dropped, they are only counted."""


def left_out(
    events: pl.DataFrame,
    kept_users: pl.Series,
    kept_items: pl.Series,
    described: dict[str, pl.DataFrame | None],
) -> pl.DataFrame:
    """Return `role` (`user` or `item`), `id` and `events` of those that were dropped; empty if they are over `MOST`.

    Args:
        events: `user_id`, `item_id` of the whole log.
        kept_users: ids.
        kept_items: ids.
        described: the tables of users and items, by role; some of their ids may have no event.
    """
    frames = [pl.DataFrame(schema=SCHEMA)]
    for role, kept in (("user", kept_users), ("item", kept_items)):
        name, table = f"{role}_id", described[role]
        counts = events[name].value_counts(name="events")
        if table is not None:
            silent = table.select(name, events=pl.lit(0, counts["events"].dtype))
            counts = pl.concat([counts, silent.join(counts, on=name, how="anti")])
        if len(counts) - len(kept) > MOST:
            return frames[0]
        gone = counts.join(kept.alias(name).to_frame(), on=name, how="anti").sort(name)
        frames.append(gone.select(role=pl.lit(role), id=pl.col(name), events=pl.col("events").cast(pl.Int64)))
    return pl.concat(frames)


def why(table: pl.DataFrame, role: str, wanted: str, fewest: int) -> str | None:
    """Return why a user or item is not in a dataset, as in `had 2 events, fewer than the minimum 5`.

    Args:
        table: of `left_out`.
        role: `user` or `item`.
        wanted: the id.
        fewest: users and items with fewer events are dropped.

    Returns:
        The end of a sentence; None if the log did not have the id, or the id is not kept.
    """
    found = table.filter(role=role, id=wanted)["events"]
    if not len(found):
        return None
    had = f"had {found[0]:,} event{'' if found[0] == 1 else 's'}" if found[0] else "had no event"
    if found[0] < fewest:
        return f"{had}, fewer than the minimum {fewest}"
    return f"{had}, too few of which were left after cleaning"
