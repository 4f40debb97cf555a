# The client that driver.rb drives: Ruby's net/http.  Replace it by yours.
require "net/http"

NAME = "net/http"
VERSION = RUBY_VERSION

# Return status, reason, fields and content of a GET: no proxy, no redirect, no second attempt, nothing decoded.
def fetch(url)
  uri = URI(url)
  http = Net::HTTP.new(uri.host, uri.port, nil)
  http.max_retries = 0
  http.read_timeout = 5
  request = Net::HTTP::Get.new(uri.request_uri, "Accept-Encoding" => "identity")
  response = http.start { http.request(request) }
  [response.code.to_i, response.message, response.each_header.to_a, response.body || ""]
end
