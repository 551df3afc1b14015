"""Asks the web server of this container whether it lives; ends with 1 if it does not.

The request names the public host, because Django answers to no other.
"""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

URL = "http://127.0.0.1:8000/healthz"


def main() -> int:
    host = urlsplit(os.environ.get("SITE_URL", "")).netloc or "127.0.0.1"
    try:
        with urllib.request.urlopen(
            urllib.request.Request(URL, headers={"Host": host}), timeout=3
        ) as response:
            return 0 if response.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
