"""A mail server that keeps messages, and can refuse commands or not answer at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple


class Mail(NamedTuple):
    """A message that was delivered, and its recipients."""

    recipients: tuple[str, ...]
    message: EmailMessage


class SmtpServer:
    """The mail server of one test.

    Attributes:
        port: The port at which it listens.
        mails: The delivered messages.
        refused: The replies to commands that are refused, by the command.
        hangs: Whether the server accepts connections and says nothing.
    """

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[Mail] = []
        self.refused: dict[str, str] = {}
        self.hangs = False
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        self.connections += 1
        try:
            if self.hangs:
                await reader.read()
            else:
                await self._converse(reader, writer)
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 mail.example.com\r\n")
        while line := (await reader.readline()).decode().strip():
            command = line.partition(" ")[0].upper()
            if command in self.refused:
                reply = self.refused[command]
            elif command == "DATA":
                writer.write(b"354 go on\r\n")
                sent = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                self.mails.append(Mail(tuple(recipients), message_from_bytes(sent, policy=policy.default)))
                reply = "250 delivered"
            else:
                if command == "RCPT":
                    recipients.append(line.partition("<")[2].rstrip(">"))
                reply = "221 bye" if command == "QUIT" else "250 ok"
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()


@asynccontextmanager
async def running_smtp_server() -> AsyncIterator[SmtpServer]:
    """Run a mail server on a free port of this machine."""
    server = SmtpServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
