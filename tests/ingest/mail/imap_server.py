"""A small IMAP server for tests: as much of RFC 3501 as a reader of mail needs, and its faults."""

from __future__ import annotations

import re
import socketserver
import threading
import time


class ImapServer:
    """Mails by UID, what was done to them, and the fault to play.

    Attributes
    ----------
    fault : "", `drop` (the connection ends in a mail), `drip` (a byte now and then), `lie` (announces too much),
        `no_store` (dies before a mail is marked).
    """

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.uidvalidity, self.fault = 7, ""
        self.marked: dict[int, str] = {}
        self.expunged: list[int] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer._talk(self.rfile, self.wfile, self.connection)

        self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.tcp.daemon_threads = True
        threading.Thread(target=self.tcp.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"imap://bousai@127.0.0.1:{self.tcp.server_address[1]}/INBOX"

    def close(self) -> None:
        self.tcp.shutdown()
        self.tcp.server_close()

    def _talk(self, lines, out, connection) -> None:
        out.write(b"* OK ready\r\n")
        while line := lines.readline().decode():
            tag, command, *rest = line.strip().split(" ", 2)
            words = rest[0] if rest else ""
            if command == "UID":
                command, _, words = words.partition(" ")
            answer = getattr(self, f"_{command.lower()}")(words, out)
            if answer == "END":
                connection.close()
                return
            out.write(f"{tag} {answer}\r\n".encode())

    def _capability(self, words, out):
        out.write(b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n")
        return "OK done"

    def _login(self, words, out):
        return "OK done" if words == 'bousai "right"' else f"NO {words} is wrong"

    def _select(self, words, out):
        if words != '"INBOX"':
            return "NO no such folder"
        out.write(f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uidvalidity}]\r\n".encode())
        return "OK [READ-WRITE]"

    def _search(self, words, out):
        first = int(re.search(r"UID (\d+):\*", words)[1])
        # As RFC 3501 has it: the last mail is in n:* even if n is beyond it.
        found = [uid for uid in self.mails if uid >= first or uid == max(self.mails)]
        out.write(f"* SEARCH {' '.join(map(str, found))}\r\n".encode())
        return "OK done"

    def _fetch(self, words, out):
        uid = int(words.split()[0])
        body = self.mails[uid]
        if "SIZE" in words:
            out.write(f"* 1 FETCH (UID {uid} RFC822.SIZE {len(body)})\r\n".encode())
            return "OK done"
        body = body[: int(re.search(r"<0\.(\d+)>", words)[1])]
        announced = 10**12 if self.fault == "lie" else len(body)
        out.write(f"* 1 FETCH (UID {uid} BODY[]<0> {{{announced}}}\r\n".encode())
        if self.fault == "drop":
            out.write(body[:20])
            return "END"
        if self.fault == "drip":
            for byte in body:
                out.write(bytes([byte]))
                time.sleep(0.05)
        out.write(body + b")\r\n")
        return "OK done"

    def _store(self, words, out):
        if self.fault == "no_store":
            return "END"
        self.marked[int(words.split()[0])] = words.split(" ", 2)[2]
        return "OK done"

    def _expunge(self, words, out):
        self.expunged.append(int(words))
        del self.mails[int(words)]
        return "OK done"

    def _logout(self, words, out):
        return "END"
