"""A bell between the processes of one host: whoever committed work rings, whoever waits wakes at once.

A ring carries no news, only "look again", so a lost one costs nothing but the next poll. Each listener has a
datagram socket under `instance/bells/`; ringing sends one byte to all of them.
"""

import contextlib
import hashlib
import os
import select
import socket
import tempfile
import threading
import time
from pathlib import Path

_LIST_EVERY_S = 1.0
_SHORT = "hubline-bells-"
_ADDRESS_BYTES = 70  # of the 104 that some systems allow; the name of the socket comes on top


class Bell:
    """Rings the listeners, and makes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = _short(folder)
        self._sender: socket.socket | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._known: list[str] = []
        self._listed_at = 0.0
        self._listeners: list[Listener] = []

    def listen(self) -> "Listener":
        """A listener of this process. What killed processes of other data folders left behind goes at this chance."""
        if self._folder.name.startswith(_SHORT):
            for other in self._folder.parent.glob(f"{_SHORT}{os.getuid()}-*"):
                _clear(other)
        path = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}.sock"
        while True:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                listener = Listener(path)
            except FileNotFoundError:
                continue  # the last listener before us has just taken the folder with it
            self._listeners.append(listener)
            return listener

    def ring(self) -> None:
        """Wake every listener on this host. Never fails: the poll is the floor."""
        sender = self._sender or self._open()
        if sender is None:
            return
        now = time.monotonic()
        if now - self._listed_at > _LIST_EVERY_S:
            self._listed_at = now
            self._known = [str(path) for path in self._folder.glob("*.sock")]
        for path in self._known:
            try:
                sender.sendto(b"!", path)
            except BlockingIOError:
                continue  # its box is full of rings already
            except (ConnectionRefusedError, FileNotFoundError):
                # Nobody listens there any more: a process that was killed left its socket behind.
                self._listed_at = 0.0
                with contextlib.suppress(OSError):
                    os.unlink(path)
            except OSError:
                continue  # another user's, no room for it now, or this bell is closed; the poll is the floor

    def close(self) -> None:
        """Close all sockets of this process."""
        for listener in self._listeners:
            listener.close()
        if self._listeners:
            _clear(self._folder)
        self._listeners.clear()
        with self._opening:
            self._closed = True
            if self._sender is not None:
                self._sender.close()

    def _open(self) -> socket.socket | None:
        """The socket to ring with, made once however many threads ring first; None after the end."""
        with self._opening:
            if self._sender is None and not self._closed:
                self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._sender.setblocking(False)
            return self._sender


def _clear(folder: Path) -> None:
    """Take away the sockets of killed processes and, unless somebody listens there, the folder. Whoever begins to
    listen meanwhile makes it anew."""
    for path in folder.glob("*.sock"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()  # as long as others listen it is not empty


def _short(folder: Path) -> Path:
    """The folder, or, where its path is too long for the address of a socket, one that its name leads to."""
    if len(os.fsencode(folder.absolute())) <= _ADDRESS_BYTES:
        return folder
    named = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"{_SHORT}{os.getuid()}-{named}"


class Listener:
    """Waits for rings."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind(str(path))
        except OSError:
            self._socket.close()
            raise

    def wait(self, timeout_s: float) -> bool:
        """Wait for a ring, at most this long; True when there was one. Rings that piled up count once."""
        readable, _, _ = select.select([self._socket], [], [], timeout_s)
        if not readable:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        return True

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
