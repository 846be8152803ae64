"""Secrets that are kept in files: NAME_FILE in place of NAME, as containers and systemd hand them over."""

from __future__ import annotations

from pathlib import Path

from environs import Env


class Secrets:
    """Reads each secret from its variable, or from the file that the variable NAME_FILE names.

    What is wrong is kept in `problems`, by the name of its variable: the shop then says everything at once.
    """

    def __init__(self, env: Env) -> None:
        self._env = env
        self.problems: list[tuple[str, str]] = []

    def text(self, name: str) -> str:
        """Without white space around it, as editors end a file with a line break; "" when there is none."""
        value = self._env.str(name, "") or ""
        path = self._env.str(f"{name}_FILE", "") or ""
        if not path:
            return value
        if value:
            self.problems.append((name, f"and {name}_FILE are both set; keep one of them"))
            return value
        return self._from_file(f"{name}_FILE", Path(path))

    def list(self, name: str) -> list[str]:
        """Comma-separated."""
        return [piece.strip() for piece in self.text(name).split(",") if piece.strip()]

    def _from_file(self, variable: str, path: Path) -> str:
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            self.problems.append((variable, f"{path} cannot be read: {reason}"))
            return ""
        if not text:
            self.problems.append((variable, f"{path} is empty"))
        return text
