# The package http of Tcl, for line_driver.py.
if {[catch {package require http} version]} {
  puts "N Tcl has no package http"
  exit
}
fconfigure stdin -encoding binary
fconfigure stdout -encoding binary -translation binary
proc bgerror {message} {puts stderr $message}
proc one_line {text} {string map {\n " " \r " " \t " "} $text}

proc fetch {url} {
  set token [http::geturl $url -timeout 5000 -binary 1 -keepalive 0 -headers {Accept-Encoding identity}]
  try {
    if {[http::status $token] ne "ok"} {
      error "[http::status $token]: [http::error $token] [http::code $token]"
    }
    set status -
    set head ""
    # Its own \d, which it reads a status by, takes the digits of every script.
    regexp {^HTTP/\S+ +([0-9]+) ?(.*)$} [http::code $token] - status head
    foreach {name value} [http::meta $token] {append head "\n$name: [one_line $value]"}
    set content [http::data $token]
    return "R $status [string length $head] [string length $content]\n$head$content"
  } finally {
    http::cleanup $token
  }
}

puts "V $version"
flush stdout
while {[gets stdin url] >= 0} {
  if {[catch {fetch $url} answer]} {set answer "E error\t[one_line $answer]\n"}
  puts -nonewline $answer
  flush stdout
}
