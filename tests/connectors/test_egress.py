"""The guard: what is refused, what is opened, and that refused addresses never see a connection."""

import ipaddress
import socket

import pytest

from connectors.egress import Egress, is_public, lookup, parse
from connectors.errors import EgressRefused, Temporary
from connectors.http import Http

spellings_of_loopback = [
    "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0", "0.0.0.0", "①②⑦.⓪.⓪.①",
    "127。0。0。1", "0251.0376.0251.0376", "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "192.0.0.8", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "[::]",
    "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]",
    "[2002:7f00:1::]", "[3fff::1]", "[fec0::1]", "[5f00::1]",
    "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]",
    "localhost", "127.0.0.1.",
]  # fmt: skip


@pytest.mark.parametrize("host", spellings_of_loopback)
def test_no_spelling_of_a_closed_address_gets_a_connection(host, raw, opened):
    sink = raw(lambda connection: None)
    http = opened()
    for url in (f"https://{host}:8443/", f"http://{host}:{sink.port}/", f"https://{host}:{sink.port}/"):
        with pytest.raises(EgressRefused) as caught:
            http.call("GET", url)
        assert caught.value.code == "address_refused"
    assert sink.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "//example.org/", "example.org",
        "https://user@example.org/", "https://user:word@example.org/", "https://example.org\\@127.0.0.1/",
        "https://exam ple.org/", "https://example.org/\r\nX: 1", "https://example.org/\x00", "https:///path",
        "https://example.org:99999/", "https://exa%6dple.org/", "https://" + "a" * 3000 + ".org/",
    ],
)  # fmt: skip
def test_an_odd_address_is_refused_before_any_look_up(url):
    with pytest.raises(EgressRefused):
        parse(url)


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org:22/", "https://example.org:8080/"])
def test_a_public_server_is_called_over_https_on_443_or_8443_only(url):
    egress = Egress(resolve=lambda host, port: ["93.184.216.34"])
    target = parse(url)
    with pytest.raises(EgressRefused):
        egress.addresses(target.scheme, target.host, target.port)
    assert egress.addresses("https", "example.org", 8443) == ["93.184.216.34"]


def test_one_closed_address_among_open_ones_refuses_the_name():
    egress = Egress(resolve=lambda host, port: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(EgressRefused):
        egress.addresses("https", "example.org", 443)


def test_an_opened_target_is_exact_in_address_and_port():
    egress = Egress(frozenset({"127.0.0.1:8003", "[::1]:8003"}))
    assert egress.addresses("http", "127.0.0.1", 8003) == ["127.0.0.1"]
    assert egress.addresses("http", "::1", 8003) == ["::1"]
    for host, port in (("127.0.0.1", 8004), ("127.0.0.2", 8003)):
        with pytest.raises(EgressRefused):
            egress.addresses("http", host, port)


def test_our_own_address_is_refused_even_when_it_is_opened():
    egress = Egress(frozenset({"127.0.0.1:8000"}), frozenset({"127.0.0.1:8000", "hub.example.org:443"}))
    for host, port in (("127.0.0.1", 8000), ("hub.example.org", 443), ("HUB.example.org.", 443)):
        with pytest.raises(EgressRefused):
            egress.addresses("https", host, port)


def test_a_name_is_looked_up_once_and_the_connection_goes_to_the_checked_address(raw):
    server = raw(lambda connection: _answer(connection))
    asked = []

    def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    http = Http(Egress(frozenset({server.spot}), resolve=resolve))
    assert http.call("GET", f"http://shop.example.org:{server.port}/").status == 204
    http.close()
    assert asked == ["shop.example.org"]


def _answer(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def test_a_name_without_address_is_temporary():
    with pytest.raises(Temporary) as caught:
        lookup("nobody.invalid", 443)
    assert caught.value.code == "dns_failed"


def test_public_addresses_are_public():
    for text in ("8.8.8.8", "149.154.167.220", "2606:4700::1111", "2a00:1450:4001::1"):
        assert is_public(ipaddress.ip_address(text))


def test_a_proxy_does_not_open_closed_targets(raw, opened):
    proxy = raw(lambda connection: None)
    http = opened(proxy.spot)
    for url in ("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "http://example.org/"):
        with pytest.raises(EgressRefused):
            http.call("GET", url, proxy_url=proxy.url)
    with pytest.raises(EgressRefused):
        http.call("GET", "https://example.org/", proxy_url="http://127.0.0.1:3128")
    assert proxy.connections == 0
