// Protocols.HTTP of Pike, for line_driver.py.
string one_line(string text) {
  return replace(text, ({ "\n", "\r", "\t" }), ({ " ", " ", " " }));
}

string answer(string url) {
  Protocols.HTTP.Query query = Protocols.HTTP.Query();
  query->timeout = 5;
  Protocols.HTTP.Query response = Protocols.HTTP.do_method("GET", url, 0, ([]), query);
  if (!response || !response->ok || !response->status)
    error("no response, errno %d\n", response && response->errno);
  string content = response->data();
  if (!content)
    error("no content\n");
  string head = one_line(response->status_desc || "");
  foreach (response->headers; string name; mixed values)
    foreach (arrayp(values) ? values : ({ values }), string value)
      head += "\n" + name + ": " + one_line((string)value);
  return sprintf("R %d %d %d\n%s%s", response->status, sizeof(head), sizeof(content), head, content);
}

int main() {
  write("V %s\n", (version() / " ")[-1] == "" ? "unknown" : replace(version(), "Pike v", ""));
  string url;
  while (url = Stdio.stdin.gets()) {
    string text;
    mixed failure = catch { text = answer(url); };
    write("%s", failure ? "E error\t" + one_line(describe_error(failure)) + "\n" : text);
  }
  return 0;
}
