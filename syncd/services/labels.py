"""Tags as people name them, put on and taken off whatever tags a task has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from syncd.model.fields import labelled_id
from syncd.resources.tags import tags
from syncd.services.refusal import refused


@dataclass(frozen=True, slots=True)
class Labels:
    """What `live_tasks` calls each tag, and what people may call it: its label, #ID or name."""

    by_id: Mapping[int, str]
    by_word: Mapping[str, int]

    def edited(self, shown: str | None, plus: Iterable[str], minus: Iterable[str]) -> str | None:
        """Return a task's tags with some put on and some taken off, as `live_tasks` takes them.

        Raises ChangeRefused for one to be taken off that no tag is called by; what is to be put
        on is for the gate to judge.
        """
        off = {self._known(word) for word in self._words(minus)}
        had = [label for label in (shown or "").split(",") if label]
        kept = [label for label in had if self.by_word.get(label, label) not in off]
        new = [self._label(word) for word in self._words(plus)]
        return ",".join(dict.fromkeys((*kept, *new))) or None

    def joined(self, words: Iterable[str]) -> str | None:
        """Return tags as `live_tasks` takes them."""
        return self.edited(None, words, ())

    def _words(self, given: Iterable[str]) -> Iterator[str]:
        """A word is one tag, or several joined by commas where no tag has all of it as a name."""
        for word in given:
            if word.strip() in self.by_word:
                yield word.strip()
            else:
                yield from (part for part in map(str.strip, word.split(",")) if part)

    def _label(self, word: str) -> str:
        id = self.by_word.get(word)
        return self.by_id.get(id, word) if id is not None else word

    def _known(self, word: str) -> int | str:
        if word in self.by_word:
            return self.by_word[word]
        if labelled_id(word) is None:
            raise refused("tags_unknown")
        return word


def load_labels(tx: Connection) -> Labels:
    """Read what the tags are called; a name that several tags have names none of them."""
    rows = tx.execute(select(tags.c.id, tags.c.name, tags.c.label, tags.c.removed_at)).all()
    live = [row for row in rows if row.removed_at is None]
    count = Counter(row.name for row in live)
    words = {row.name: row.id for row in live if count[row.name] == 1}
    words |= {f"#{row.id}": row.id for row in rows}
    words |= {row.label: row.id for row in rows if row.label}
    return Labels({row.id: row.label for row in rows if row.label}, words)
