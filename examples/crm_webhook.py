"""A CRM's side of the screen pop: `CTI_WEBHOOK_SECRET=whsec_... python examples/crm_webhook.py [--port 8090]`.

The server's side is a webhook; `cti webhooks secret` makes the secret that both know:

    hook = Webhook("crm", "http://127.0.0.1:8090/pop", secret, kinds=["Delivered"])
    Webhooks(centre, [hook], dead_letters="dead-letters.jsonl").start()

Each message is signed, may come again (with the same id), and has to be answered within ten seconds.
"""

import argparse
import json
import os
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cti.web import BadSignature, verify

SECRET = os.environ["CTI_WEBHOOK_SECRET"]
CUSTOMERS = {"138": "Wang Fang, gold"}
MOST_BYTES = 1_000_000
seen = OrderedDict()


class Pop(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > MOST_BYTES:
            self.answer(413)
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            verify(SECRET, headers, body)
        except BadSignature as error:
            print(f"refused: {error}", flush=True)
            self.answer(403)
            return
        if self.is_new(headers["webhook-id"]):
            self.pop(json.loads(body)["data"])
        self.answer(204)

    def is_new(self, message):
        known = message in seen
        seen[message] = True
        if len(seen) > 1000:
            seen.popitem(last=False)
        return not known

    def pop(self, event):
        customer = CUSTOMERS.get(event["calling_number"], "unknown")
        print(f"{event['agent']}: {event['calling_number']} ({customer}) {json.dumps(event['data'])}", flush=True)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=8090)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.parse_args().port), Pop)
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
