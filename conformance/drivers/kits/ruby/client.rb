# The client that driver.rb drives: Ruby's net/http.  Replace it by yours.
require "net/http"
require "stringio"

NAME = "net/http"
VERSION = RUBY_VERSION
FEATURES = %w[drop expect-continue part streamed timeout]

# Return status, reason, fields and content: no proxy, no redirect, no second attempt, nothing decoded.
def exchange(asked)
  $http ||= Net::HTTP.new(asked.uri.host, asked.uri.port, nil).tap { |http| http.max_retries = 0 }
  $http.read_timeout = $http.write_timeout = $http.continue_timeout = asked.timeout
  $http.start unless $http.started?
  response = $http.request(request(asked)) do |one|
    # A `return` leaves the response as it is.
    return [*head(one), nil] if asked.consume == "drop"
    return [*head(one), part(one, asked.amount)] if asked.consume == "part"
  end
  [*head(response), response.body || ""]
end

def request(asked)
  request = Net::HTTP.const_get(asked.method.capitalize).new(asked.uri, "Accept-Encoding" => "identity")
  asked.fields.each { |name, value| request.add_field(name, value) }
  request["Expect"] = "100-continue" if asked.expect_continue
  request["Transfer-Encoding"] = "chunked" if asked.streamed
  asked.streamed ? request.body_stream = StringIO.new(asked.body) : request.body = asked.body
  request
end

def head(response)
  [response.code.to_i, response.message, response.each_header.to_a]
end

# Return this many bytes of the content; only the end of the connection ends a response early.
def part(response, amount)
  content = "".b
  response.read_body { |piece| break if (content << piece).size >= amount } if amount > 0
  release
  content[0, amount]
end

def release
  $http.finish if $http&.started?
  $http = nil
end
