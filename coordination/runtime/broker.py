"""A private Redis: TCP on 127.0.0.1, random port and password, nothing kept on disk.

TCP because kombu loses a Unix socket when the broker restarts (seen with 5.7.0). Nothing is kept
because due work is a row in PostgreSQL: the broker only rings the bell.
"""

import json
import signal
import socket
import subprocess
import time

from coordination.runtime import processes
from coordination.runtime.account import Account, reachable_folder
from coordination.runtime.places import Place, State, new_password, open_private
from coordination.runtime.problems import explain_server_output
from coordination.runtime.programs import find_redis

ATTEMPTS = 5


class Broker:
    """The Redis of one place."""

    def __init__(self, place: Place, state: State, account: Account) -> None:
        self.state = state
        self.memory = state.section("redis")
        self.account = account
        self.folder = reachable_folder(account, place.folder / "redis")
        self.log = place.folder / "redis.log"

    @property
    def url(self) -> str:
        return f"redis://:{self.memory['password']}@127.0.0.1:{self.memory['port']}/0"

    def start(self) -> None:
        """Start the server, or take the one that is already running."""
        if self._answers():
            return
        self.stop()
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700)
            self.account.give(self.folder)
        program = find_redis(self.account)
        for _attempt in range(ATTEMPTS):
            if self._launch(program):
                return
        raise explain_server_output("Redis", self.log.read_text(errors="replace"), str(self.log))

    def stop(self) -> None:
        """Stop what still works in our folder, remembered or not."""
        for pid in processes.working_in(self.folder):
            processes.stop(pid, self.folder, signal.SIGTERM, signal.SIGKILL, patience=5)

    def _launch(self, program: str) -> bool:
        """One try on a free port; False when the port was taken meanwhile or the server stopped."""
        self.memory.update(port=_free_port(), password=new_password())
        configuration = {
            "bind": "127.0.0.1",
            "port": self.memory["port"],
            "requirepass": self.memory["password"],
            "save": '""',
            "appendonly": "no",
            "dir": json.dumps(str(self.folder)),  # Redis quotes as JSON does
        }
        with open_private(self.log, "wb") as log:
            # Reads its settings from us: a password on the command line shows in ps.
            server = processes.launch([program, "-"], self.account, log, subprocess.PIPE)
        lines = "".join(f"{name} {value}\n" for name, value in configuration.items())
        try:
            server.communicate(lines.encode(), timeout=0.05)
        except subprocess.TimeoutExpired:
            pass
        self.memory["pid"] = server.pid
        self.state.save()
        deadline = time.monotonic() + 10
        while server.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        """Our process is alive and takes our password."""
        if not processes.works_in(self.memory.get("pid"), self.folder):
            return False
        try:
            with socket.create_connection(("127.0.0.1", self.memory["port"]), timeout=1) as link:
                link.sendall(f"AUTH {self.memory['password']}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (chunk := link.recv(64)):
                    answer += chunk
                return answer == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
