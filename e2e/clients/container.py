"""Makes a container in Azure Blob Storage, signed by an account's key: URL ACCOUNT KEY NAME."""

import base64
import email.utils
import hashlib
import hmac
import sys
import urllib.request

url, account, key, name = sys.argv[1:]
date = email.utils.formatdate(usegmt=True)
version = "2021-08-06"
resource = f"/{account}/{account}/{name}\nrestype:container"
headers = f"x-ms-date:{date}\nx-ms-version:{version}\n"
to_sign = "PUT" + "\n" * 12 + headers + resource
signature = base64.b64encode(
    hmac.new(base64.b64decode(key), to_sign.encode(), hashlib.sha256).digest()
).decode()
request = urllib.request.Request(
    f"{url}/{account}/{name}?restype=container",
    data=b"",
    method="PUT",
    headers={
        "x-ms-date": date,
        "x-ms-version": version,
        "Content-Length": "0",
        "Content-Type": "",
        "Authorization": f"SharedKey {account}:{signature}",
    },
)
with urllib.request.urlopen(request, timeout=20) as answer:
    assert answer.status == 201, answer.status
