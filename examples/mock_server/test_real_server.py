"""Faults in front of a real server, and a recording of it; run them with `pytest`."""

import http.server
import threading

import pytest
from shop import Shop, ShopError

from mockserver import Proxy, Reply, route


class RealShop(http.server.BaseHTTPRequestHandler):
    """What runs in production, here in a thread."""

    def do_GET(self):
        """Answer every path with the same item."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b'{"name": "cup"}')


@pytest.fixture(scope="module")
def real_shop():
    with http.server.HTTPServer(("127.0.0.1", 0), RealShop) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_reset_in_the_body_is_survived(mock_server, real_shop):
    server = mock_server(Proxy(real_shop, cut_at="body+3", end="rst"), Proxy(real_shop))
    assert Shop(server.url).item(7) == {"name": "cup"}


def test_a_503_in_front_of_it_is_tried_again(mock_server, real_shop):
    server = mock_server(Reply(503), Proxy(real_shop))
    assert Shop(server.url).item(7) == {"name": "cup"}


def test_a_lost_length_hides_a_cut(mock_server, real_shop):
    broken = Proxy(real_shop, without=("Content-Length",), cut_at="body+3")
    server = mock_server(route(broken, path="/items/7"))
    with pytest.raises(ValueError, match="Unterminated string"):
        Shop(server.url).item(7)


def test_a_pause_in_the_head_is_given_up(mock_server, real_shop):
    server = mock_server(Proxy(real_shop, pause_at="field-line:2", seconds=9))
    with pytest.raises(ShopError, match="TimeoutError"):
        Shop(server.url, timeout=0.1).get("/", attempts=1)


def test_a_recording_answers_like_the_shop(mock_server, real_shop, tmp_path):
    server = mock_server(Proxy(real_shop))
    seen = Shop(server.url).item(7)
    (tmp_path / "shop_recorded.py").write_text(server.recorded())

    module = {}
    exec((tmp_path / "shop_recorded.py").read_text(), module)
    assert Shop(mock_server(module["recorded"]).url).item(7) == seen
