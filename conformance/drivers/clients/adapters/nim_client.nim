# std/httpclient of Nim, for line_driver.py.
import std/[httpclient, net, strutils]

proc oneLine(text: string): string =
  text.multiReplace(("\r", " "), ("\n", " "), ("\t", " "))

proc answer(url: string): string =
  let client = newHttpClient(maxRedirects = 0, timeout = 5000)
  defer: client.close()
  let response = client.request(url)
  let content = response.body
  let parts = response.status.split(' ', 1)
  let code = if parts[0].len > 0 and parts[0].allCharsInSet(Digits): parts[0] else: "-"
  var head = oneLine(parts[^1])
  for name, value in response.headers:
    head.add "\n" & name & ": " & oneLine(value)
  "R " & code & " " & $head.len & " " & $content.len & "\n" & head & content

stdout.write "V ", NimVersion, "\n"
stdout.flushFile()
for url in stdin.lines:
  try:
    stdout.write answer(url)
  except CatchableError as error:
    stdout.write "E ", $error.name, "\t", oneLine(error.msg), "\n"
  except Defect as error:
    stdout.write "E Defect.", $error.name, "\t", oneLine(error.msg), "\n"
  stdout.flushFile()
