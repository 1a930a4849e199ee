"""A reporter that records messages for assertions."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RecordingReporter:
    """Keeps notes and warnings in order."""

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)
