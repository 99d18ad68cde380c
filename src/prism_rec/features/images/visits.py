"""The visits of one run: which sources are visited, in which order, many at a time, and what is recorded."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from prism_rec.events import Events
from prism_rec.features.images.fetch import Fetcher
from prism_rec.features.images.journal import Journal
from prism_rec.features.images.local import read_photos
from prism_rec.features.images.outcome import Failure, Picture, SourceOutcome
from prism_rec.features.images.pictures import PictureStore
from prism_rec.features.images.settings import Gathering

Sources = Sequence[str]

_PHOTOS_AHEAD = 32


class Visits:
    """Visits the sources of items and records every outcome as soon as it is known.

    Args:
        journal: known outcomes; new outcomes are added to it.
        store: gets the pictures.
        decoders: threads that check and store; Pillow decodes without holding the interpreter's lock.
        settings: the limits.
        events: hears of the tasks `photos` and `pictures`.
    """

    def __init__(
        self,
        journal: Journal,
        store: PictureStore,
        decoders: ThreadPoolExecutor,
        settings: Gathering,
        events: Events,
    ) -> None:
        self._journal = journal
        self._store = store
        self._decoders = decoders
        self._settings = settings
        self._events = events
        self._failed = 0
        self._fetched: dict[str, asyncio.Task[None] | None] = {}  # None: done

    def read_local(self, items: Sequence[Sources]) -> None:
        """Read the wanted photos of `settings.local`: for each item the first that gives a picture.

        Args:
            items: the sources of each item.
        """
        visited: set[str] = set()
        # In rounds, because an archive is best read in its own order, and most items need only their first photo.
        while names := {name for sources in items if (name := self._next_photo(sources, visited))}:
            visited |= names
            self._events.begin("photos", len(names))
            self._read_photos(names)
            self._events.end("photos")

    def _next_photo(self, sources: Sources, visited: set[str]) -> str | None:
        """Return the photo of an item to read after those that were visited; None if one gave a picture."""
        for source in self._wanted(sources):
            if source in visited and self._has_picture(source):
                return None
            if source not in visited and not _is_web(source):
                return source
        return None

    def _read_photos(self, names: set[str]) -> None:
        if self._settings.local is None:
            for name in sorted(names):
                self._record_failure(name, Failure("no-local-photos", may_pass=True))
            return
        ahead: deque[tuple[str, Future[Picture]]] = deque()
        try:
            photos = read_photos(self._settings.local, names, self._settings.max_bytes)
            for name, photo in photos:
                if isinstance(photo, Failure):
                    self._record_failure(name, photo)
                else:
                    ahead.append((name, self._decoders.submit(self._store.store, photo)))
                if len(ahead) > _PHOTOS_AHEAD:
                    self._record_photo(*ahead.popleft())
                self._advance("photos")
        finally:
            for name, picture in ahead:
                self._record_photo(name, picture)

    def fetch_web(self, items: Sequence[Sources]) -> None:
        """Fetch the wanted URLs of items without a picture, `settings.connections` items at a time.

        Args:
            items: the sources of each item.
        """
        waiting = [sources for sources in items if any(map(_is_web, self._wanted(sources)))]
        if not waiting:
            return
        self._events.begin("pictures", len(waiting))
        try:
            asyncio.run(self._fetch_all(_by_turns(waiting)))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        self._events.end("pictures")

    async def _fetch_all(self, items: Sequence[Sources]) -> None:
        waiting = iter(items)

        async def work() -> None:
            for sources in waiting:
                await self._fetch_first(sources, fetcher)
                self._advance("pictures")

        async with Fetcher(self._settings) as fetcher, asyncio.TaskGroup() as group:
            for _ in range(self._settings.connections):
                group.create_task(work())

    async def _fetch_first(self, sources: Sources, fetcher: Fetcher) -> None:
        """Fetch an item's URLs in turn until one gives a picture."""
        for source in sources:
            if _is_web(source) and self._is_wanted(source):
                await self._fetch_once(source, fetcher)
            if self._has_picture(source):
                return

    async def _fetch_once(self, source: str, fetcher: Fetcher) -> None:
        """Fetch a URL unless this run has done so; items that share a URL wait for the first request."""
        if source not in self._fetched:
            self._fetched[source] = asyncio.create_task(self._fetch(source, fetcher))
        if (fetching := self._fetched[source]) is not None:
            await fetching
            self._fetched[source] = None

    async def _fetch(self, source: str, fetcher: Fetcher) -> None:
        known = self._journal.outcome_of(source)
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
            self._journal.record(SourceOutcome(source, "ok", attempts, picture, answer.etag))

    def _record_photo(self, name: str, picture: Future[Picture]) -> None:
        try:
            self._journal.record(SourceOutcome(name, "ok", 0, picture.result()))
        except Failure as failure:
            self._record_failure(name, failure)

    def _record_failure(self, source: str, failure: Failure, attempts: int = 0) -> None:
        self._failed += 1
        # A stored picture is kept, even if its source fails now.
        if not self._has_picture(source):
            self._journal.record(SourceOutcome.of_failure(source, failure, attempts))

    def _advance(self, task: str) -> None:
        self._events.advance(task, facts={"failed": self._failed} if self._failed else None)

    def _wanted(self, sources: Sources) -> list[str]:
        """Return the sources of one item that this run may visit."""
        if self._settings.visit != "everything" and any(map(self._has_picture, sources)):
            return []
        return [source for source in sources if self._is_wanted(source)]

    def _is_wanted(self, source: str) -> bool:
        known = self._journal.outcome_of(source)
        if known is None:
            return self._settings.visit != "retry"
        if known.reason == "address-refused" and self._settings.allow_private:
            return True
        return known.status == "retry" or self._settings.visit == "everything"

    def _has_picture(self, source: str) -> bool:
        known = self._journal.outcome_of(source)
        return known is not None and known.status == "ok"


def _is_web(source: str) -> bool:
    return "://" in source


def _by_turns(items: Sequence[Sources]) -> list[Sources]:
    """Put the hosts in rotation, so that a slow host with many pictures does not delay the others."""
    met: Counter[str] = Counter()
    turns = []
    for sources in items:
        host = next(filter(_is_web, sources)).split("/", 3)[2]
        turns.append(met[host])
        met[host] += 1
    return [items[i] for i in sorted(range(len(items)), key=turns.__getitem__)]
