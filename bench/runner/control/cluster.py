"""A test API server, and a plain client for it."""
import concurrent.futures
import http.client
import json
import threading
import urllib.parse

from ..failure import Failure


class Cluster:
    """Talks JSON to the API server over one connection for each thread."""

    def __init__(self, url, token):
        parts = urllib.parse.urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._local = threading.local()
        self._token = token
        self.url = url

    def request(self, method, path, body=None, content_type="application/json"):
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(*self._address, timeout=60)
        connection = self._local.connection
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body)
        headers = {
            "Authorization": f"Bearer {self._token}", "Content-Type": content_type, "Accept": "application/json",
        }
        connection.request(method, path, payload, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise Failure(f"{method} {path} was answered {answer.status}: {text.decode(errors='replace')[:500]}")
        return json.loads(text)

    def create_all(self, objects, connections=4):
        """Creates (path, object) pairs; those of one path keep their order."""
        with concurrent.futures.ThreadPoolExecutor(connections) as pool:
            for _ in pool.map(lambda each: self.request("POST", *each), objects, chunksize=50):
                pass

    def apply_yaml(self, definition):
        """Creates the one CustomResourceDefinition of a file."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self.request("POST", path, definition.read_bytes(), "application/yaml")

    def merge(self, path, patch):
        return self.request("PATCH", path, patch, "application/merge-patch+json")
