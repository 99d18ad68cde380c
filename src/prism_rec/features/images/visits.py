"""One run's visits: which sources are visited, in what order, many at a time, and what is recorded."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from prism_rec.features.images.fetch import Fetcher
from prism_rec.features.images.journal import Journal
from prism_rec.features.images.local import read_photos
from prism_rec.features.images.options import GatherOptions
from prism_rec.features.images.outcome import Failure, Outcome, Picture
from prism_rec.features.images.pictures import PictureStore

Progress = Callable[[int, int], None]
Sources = Sequence[str]

_PHOTOS_AHEAD = 32


class Visits:
    """Visits the sources of items and records every outcome the moment it is known.

    Args:
        journal: what is known already, and where outcomes go.
        store: where pictures go.
        decoders: threads that check and store; Pillow decodes without holding the interpreter's lock.
        options: the settings.
    """

    def __init__(
        self, journal: Journal, store: PictureStore, decoders: ThreadPoolExecutor, options: GatherOptions
    ) -> None:
        self._journal = journal
        self._store = store
        self._decoders = decoders
        self._options = options
        self._fetched: dict[str, asyncio.Task[None] | None] = {}  # None: done

    def read_local(self, items: Sequence[Sources], progress: Progress) -> None:
        """Read the wanted photos of `options.local`: of each item the first that yields a picture.

        Args:
            items: the sources of each item.
            progress: called with the number of photos read and to read in this round.
        """
        visited: set[str] = set()
        # In rounds, because an archive is best read in its own order, and most items need their first photo alone.
        while names := {name for sources in items if (name := self._next_photo(sources, visited))}:
            visited |= names
            self._read_photos(names, progress)

    def _next_photo(self, sources: Sources, visited: set[str]) -> str | None:
        """Return the photo to read for an item after those that were visited; None once one gave a picture."""
        for source in self._wanted(sources):
            if source in visited and self._has_picture(source):
                return None
            if source not in visited and not _is_web(source):
                return source
        return None

    def _read_photos(self, names: set[str], progress: Progress) -> None:
        if self._options.local is None:
            for name in sorted(names):
                self._record_failure(name, Failure("no-local-photos", may_pass=True))
            return
        ahead: deque[tuple[str, Future[Picture]]] = deque()
        try:
            photos = read_photos(self._options.local, names, self._options.max_bytes)
            for done, (name, photo) in enumerate(photos, 1):
                if isinstance(photo, Failure):
                    self._record_failure(name, photo)
                else:
                    ahead.append((name, self._decoders.submit(self._store.store, photo)))
                if len(ahead) > _PHOTOS_AHEAD:
                    self._record_photo(*ahead.popleft())
                progress(done, len(names))
        finally:
            for name, picture in ahead:
                self._record_photo(name, picture)

    def fetch_web(self, items: Sequence[Sources], progress: Progress) -> None:
        """Fetch the wanted URLs of items without a picture, `options.connections` items at a time.

        Args:
            items: the sources of each item.
            progress: called with the number of items done and to do.
        """
        waiting = [sources for sources in items if any(map(_is_web, self._wanted(sources)))]
        if not waiting:
            return
        try:
            asyncio.run(self._fetch_all(_by_turns(waiting), progress))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _fetch_all(self, items: Sequence[Sources], progress: Progress) -> None:
        waiting = iter(items)
        done = 0

        async def work() -> None:
            nonlocal done
            for sources in waiting:
                await self._fetch_first(sources, fetcher)
                done += 1
                progress(done, len(items))

        progress(0, len(items))
        async with Fetcher(self._options) as fetcher, asyncio.TaskGroup() as group:
            for _ in range(self._options.connections):
                group.create_task(work())

    async def _fetch_first(self, sources: Sources, fetcher: Fetcher) -> None:
        """Fetch an item's URLs in turn until one yields a picture."""
        for source in sources:
            if _is_web(source) and self._is_wanted(source):
                await self._fetch_once(source, fetcher)
            if self._has_picture(source):
                return

    async def _fetch_once(self, source: str, fetcher: Fetcher) -> None:
        """Fetch a URL unless this run has done so; items that share one wait for the first to ask."""
        if source not in self._fetched:
            self._fetched[source] = asyncio.create_task(self._fetch(source, fetcher))
        if (fetching := self._fetched[source]) is not None:
            await fetching
            self._fetched[source] = None

    async def _fetch(self, source: str, fetcher: Fetcher) -> None:
        known = self._journal.outcomes.get(source)
        attempts = known.attempts if known else 0
        try:
            answer = await fetcher.fetch(source, known.etag if known else None)
            attempts += answer.attempts
            if answer.body is None and known:
                self._journal.record(replace(known, attempts=attempts))
                return
            store = partial(self._store.store, answer.body or b"", framed=answer.framed)
            picture = await asyncio.get_running_loop().run_in_executor(self._decoders, store)
        except Failure as failure:
            self._record_failure(source, failure, attempts)
        else:
            self._journal.record(Outcome(source, "ok", attempts, picture, answer.etag))

    def _record_photo(self, name: str, picture: Future[Picture]) -> None:
        try:
            self._journal.record(Outcome(name, "ok", 0, picture.result()))
        except Failure as failure:
            self._record_failure(name, failure)

    def _record_failure(self, source: str, failure: Failure, attempts: int = 0) -> None:
        # A picture that was had once is kept, whatever its source has become.
        if not self._has_picture(source):
            self._journal.record(Outcome.of_failure(source, failure, attempts))

    def _wanted(self, sources: Sources) -> list[str]:
        """Return the sources of one item that this run visits if it comes to them."""
        if self._options.visit != "everything" and any(map(self._has_picture, sources)):
            return []
        return [source for source in sources if self._is_wanted(source)]

    def _is_wanted(self, source: str) -> bool:
        known = self._journal.outcomes.get(source)
        if known is None:
            return self._options.visit != "retry"
        if known.reason == "address-refused" and self._options.allow_private:
            return True
        return known.status == "retry" or self._options.visit == "everything"

    def _has_picture(self, source: str) -> bool:
        known = self._journal.outcomes.get(source)
        return known is not None and known.status == "ok"


def _is_web(source: str) -> bool:
    return "://" in source


def _by_turns(items: Sequence[Sources]) -> list[Sources]:
    """Put the hosts in rotation, so that a slow one with many pictures does not hold up the rest."""
    met: Counter[str] = Counter()
    turns = []
    for sources in items:
        host = next(filter(_is_web, sources)).split("/", 3)[2]
        turns.append(met[host])
        met[host] += 1
    return [items[i] for i in sorted(range(len(items)), key=turns.__getitem__)]
