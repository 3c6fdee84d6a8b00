"""A mail server for tests: aiosmtpd, whose replies depend on the recipient's name, and which records
accepted e-mails.

    /usr/bin/python3 smtp.py FOLDER [USER:PASSWORD]

Prints its port (loopback) as JSON, and ends when standard input closes. Each accepted e-mail becomes a line of
FOLDER/mails.jsonl: envelope, headers and parts, read by Python's own parser. With USER:PASSWORD, clients must
authenticate.

    unknown-…@   550 at RCPT        full-…@   452 at RCPT       later-…@  451 at DATA
    refused-…@   554 at DATA        drop-…@   the connection closes without a reply

While FOLDER/replies.json exists, it contains the replies for other phases, such as {"mail": "553 5.7.1 no"}: connect,
ehlo, auth, mail, rcpt, data, end. After a 421, the connection closes.
"""

import asyncio
import email
import email.policy
import json
import logging
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


class Scripted(SMTP):
    """Sends scripted replies in some phases, and behaves normally in the others."""

    def __init__(self, handler, **options):
        super().__init__(handler, **options)
        self.is_greeted = False

    def scripted(self, phase):
        try:
            with open(self.event_handler.replies, encoding="utf-8") as replies:
                return json.load(replies).get(phase)
        except FileNotFoundError:
            return None

    async def push(self, status):
        if not self.is_greeted:
            self.is_greeted = True
            status = self.scripted("connect") or status
        await super().push(status)
        if str(status).startswith("421"):
            self.transport.close()

    async def answer(self, phase, method, argument):
        reply = self.scripted(phase)
        if reply is None:
            await method(argument)
        else:
            await self.push(reply)

    async def smtp_EHLO(self, hostname):
        await self.answer("ehlo", super().smtp_EHLO, hostname)

    async def smtp_AUTH(self, arg):
        await self.answer("auth", super().smtp_AUTH, arg)

    async def smtp_MAIL(self, arg):
        await self.answer("mail", super().smtp_MAIL, arg)

    async def smtp_RCPT(self, arg):
        await self.answer("rcpt", super().smtp_RCPT, arg)

    async def smtp_DATA(self, arg):
        await self.answer("data", super().smtp_DATA, arg)


class Handler:
    def __init__(self, folder):
        self.path = folder + "/mails.jsonl"
        self.replies = folder + "/replies.json"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown-"):
            return "550 5.1.1 <%s>: no such user" % address
        if address.startswith("full-"):
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        if reply := server.scripted("end"):
            return reply
        address = envelope.rcpt_tos[0]
        if address.startswith("refused-"):
            return "554 5.7.1 policy"
        if address.startswith("later-"):
            return "451 4.7.1 try again later"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [
            {"type": part.get_content_type(), "name": part.get_filename(), "text": part.get_content()}
            if part.get_content_maintype() == "text"
            else {"type": part.get_content_type(), "name": part.get_filename()}
            for part in message.walk()
            if not part.is_multipart()
        ]
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "parts": parts,
        }
        with open(self.path, "a", encoding="utf-8") as mails:
            mails.write(json.dumps(mail) + "\n")
        if address.startswith("drop-"):
            server.transport.abort()
        return "250 2.0.0 taken"


async def main():
    folder = sys.argv[1]
    options = {}
    if len(sys.argv) > 2:
        user, password = sys.argv[2].split(":")

        def authenticate(server, session, envelope, mechanism, data):
            known = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=known, handled=known)

        options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    handler = Handler(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: Scripted(handler, hostname="localhost", enable_SMTPUTF8=True, **options), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
asyncio.run(main())
