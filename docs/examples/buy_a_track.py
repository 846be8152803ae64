"""Buy a track through the API: from signing up to a file whose bytes are verified.

    make run                               # in one terminal: a shop with demo music
    python docs/examples/buy_a_track.py    # in another; --help lists what can be chosen

Python 3.11 is enough. A shop without a Stripe key has a sandbox for payments: nobody is charged.
"""

import argparse
import hashlib
import json
import re
import secrets
import shutil
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

SENT = {"Content-Type": "application/json"}  # with every call; the sign-in will be one of them


def call(method: str, address: str, body: Any = None, **more: str) -> Any:
    """What the shop answers; ends the program with the shop's own sentence where it refuses."""
    headers = SENT | {name.replace("_", "-"): value for name, value in more.items()}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(address, data, headers, method=method)) as answer:  # nosec B310  # the shop that its user names
            return json.load(answer)
    except HTTPError as error:
        problem = json.load(error)  # RFC 9457; signing in has `errors` with `message`s instead
        if "session_token" in problem.get("meta", {}):
            return problem  # half signed in: the mailed code is missing
        said = [each.get("message") or each["detail"] for each in problem.get("errors", [])]
        sys.exit(" ".join([problem.get("detail", ""), *said]).strip())
    except URLError as error:
        sys.exit(f"{address}: {error.reason}")


def sign_up(auth: str, email: str) -> None:
    account = {"email": email, "password": secrets.token_urlsafe(16)}
    SENT["X-Session-Token"] = call("POST", f"{auth}/signup", account)["meta"]["session_token"]
    print(f"Signed up as {email}; the shop mails a code. (`make run` prints the letter.)")
    code = {"key": input("The code: ").strip()}
    SENT["X-Session-Token"] = call("POST", f"{auth}/email/verify", code)["meta"]["session_token"]


def fill_the_cart(api: str, words: str) -> None:
    query = urlencode({"min_price": 1, "q": words})
    products = call("GET", f"{api}/products/?{query}")["results"]
    if not products:
        sys.exit(f"Nothing for sale is called {words}.")
    call("POST", f"{api}/cart/items/", {"product": products[0]["id"]})
    cart = call("GET", f"{api}/cart/")
    print(f"{products[0]['title']}, {cart['total']}. Agreed to: {cart['consent']['text']}")


def pay(address: str) -> None:
    """What a buyer does in a browser: at Stripe with a card, in the sandbox with one button."""
    browser = build_opener(HTTPCookieProcessor())
    with browser.open(address) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    if token is None:
        sys.exit(f"This is no sandbox. Pay in a browser, at {address}")
    button = {"csrfmiddlewaretoken": token[1], "outcome": "pay"}
    browser.open(address, urlencode(button).encode()).close()


def wait_until_paid(api: str, order: Any) -> None:
    """The news of a payment reach the shop by themselves, mostly within a second."""
    for pause in (0.2, 0.5, 1, 2, 4, 8, 15, 30, 0):
        order = call("GET", f"{api}/orders/{order['id']}/")
        if order["status"] not in ("pending", "processing"):
            break
        time.sleep(pause)
    if order["status"] != "paid":
        sys.exit(f"Order {order['number']} is {order['status']}.")
    print(f"Order {order['number']} is paid.")


def download(link: Any) -> None:
    """In two parts: the first breaks off half-way, on purpose; the second goes on from there."""
    path, half = Path(link["file_name"]), link["size_bytes"] // 2
    with urlopen(link["url"]) as answer:  # nosec B310  # an address of that shop
        tag = answer.headers["ETag"]
        path.write_bytes(answer.read(half))
    print(f"{path}: broke off after {half} of {link['size_bytes']} bytes.")
    # The rest of the same bytes, or else all of others (RFC 9110, section 13.1.5).
    rest = Request(link["url"], headers={"Range": f"bytes={half}-", "If-Range": tag})
    with urlopen(rest) as answer, path.open("ab" if answer.status == 206 else "wb") as file:  # nosec B310  # an address of that shop
        shutil.copyfileobj(answer, file)
    if hashlib.sha256(path.read_bytes()).hexdigest() != link["sha256"]:
        sys.exit(f"{path}: damaged on its way.")
    print(f"{path}: went on, and is complete; its SHA-256 is the one that the shop named.")


def main() -> None:
    options = argparse.ArgumentParser(description="Buy a track through the API.")
    options.add_argument("--shop", default="http://127.0.0.1:8000", help="its address")
    options.add_argument("--email", default=f"buyer-{secrets.token_hex(4)}@example.com")
    options.add_argument("--search", default="", help="words; without them the newest is bought")
    chosen = options.parse_args()
    api = f"{chosen.shop}/api/v1"
    sign_up(f"{chosen.shop}/_allauth/app/v1/auth", chosen.email)
    fill_the_cart(api, chosen.search)
    # The key is for a line that breaks: sent again with it, this makes no second order.
    key = secrets.token_hex(16)
    checkout = call("POST", f"{api}/checkout/", {"consent": True}, Idempotency_Key=key)
    pay(checkout["checkout_url"])
    wait_until_paid(api, checkout["order"])
    purchase = call("GET", f"{api}/purchases/")["results"][0]
    download(call("POST", f"{api}/purchases/{purchase['id']}/link/", {}))


if __name__ == "__main__":
    main()
