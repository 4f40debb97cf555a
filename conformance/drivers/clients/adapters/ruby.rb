# The clients in Ruby that the kit has: a function for each, by the name in the registry.  The registry has the features.
which = ARGV.shift
FEATURES = []

# Fields of a table whose values can be lists, as most clients have them.
def pairs(table)
  (table || {}).flat_map { |name, value| [value].flatten.map { |one| [name, one] } }
end

# The fields that the caller adds, as a table: a name that is repeated has a list.
def table(asked)
  asked.fields.group_by(&:first).transform_values { |some| some.size > 1 ? some.map(&:last) : some[0][1] }
end

# The object that makes all exchanges of a case, and how it is closed.
def pooled(closing)
  ($pooled ||= [yield, closing]).first
end

def release
  client, closing = $pooled
  $pooled = nil
  client.public_send(closing) if client
end

def origin(asked)
  asked.url[%r{\A\w+://[^/]+}]
end

# Content that can be read once, whose size is not known.
class Once
  def initialize(body)
    @pieces = [body]
  end

  def read(_size = nil, buffer = +"")
    piece = @pieces.shift
    piece && buffer.replace(piece)
  end
end

CLIENTS = {
  "httpclient" => ["httpclient", lambda { |asked|
    client = pooled(:reset_all) { HTTPClient.new }
    client.receive_timeout = 5 # for connections that are new
    client.protocol_retry_count = 1
    body = asked.streamed ? Once.new(asked.body) : asked.body
    answer = client.request(asked.method, asked.url, nil, body, asked.fields)
    [answer.status, answer.reason, answer.http_header.all, answer.content || ""]
  }],
  "excon" => ["excon", lambda { |asked|
    client = pooled(:reset) { Excon.new(origin(asked), persistent: true, retry_limit: 0) }
    pieces = asked.pieces if asked.streamed
    content = asked.streamed ? { request_block: -> { pieces.next rescue "" } } : { body: asked.body }
    answer = client.request(method: asked.method, path: asked.uri.request_uri, headers: table(asked),
                            read_timeout: asked.timeout, write_timeout: asked.timeout, **content)
    [answer.status, answer.reason_phrase, pairs(answer.headers), answer.body]
  }],
  "faraday" => ["faraday", lambda { |asked|
    client = pooled(:close) { Faraday.new }
    answer = client.run_request(asked.method.downcase.to_sym, asked.url, asked.body, table(asked)) do |request|
      request.options.timeout = asked.timeout
    end
    [answer.status, answer.reason_phrase, answer.headers.to_a, answer.body || ""]
  }],
  "http" => ["http", lambda { |asked|
    client = pooled(:close) { HTTP.timeout(5).persistent(origin(asked)) }
    body = asked.streamed ? asked.pieces : asked.body
    fields = asked.streamed ? asked.fields + [["Transfer-Encoding", "chunked"]] : asked.fields
    answer = client.request(asked.method, asked.url, headers: fields, body: body)
    head = [answer.code, answer.reason, answer.headers.to_a]
    return [*head, answer.body.to_s] if asked.consume != "part"

    content = "".b
    content << (answer.body.readpartial || break) while content.size < asked.amount
    client.close
    [*head, content[0, asked.amount]]
  }],
  "typhoeus" => ["typhoeus", lambda { |asked|
    answer = Typhoeus::Request.new(asked.url, method: asked.method.downcase.to_sym, body: asked.body,
                                   headers: table(asked), timeout_ms: (asked.timeout * 1000).to_i).run
    raise Ethon::Errors::EthonError, answer.return_code.to_s unless answer.return_code == :ok
    [answer.code, answer.status_message, pairs(answer.headers), answer.body]
  }],
  "httparty" => ["httparty", lambda { |asked|
    options = { timeout: asked.timeout, follow_redirects: false, max_retries: 0, format: :plain }
    options[:body] = asked.body if asked.body
    answer = HTTParty.public_send(asked.method.downcase, asked.url, headers: table(asked), **options)
    [answer.code, answer.message, pairs(answer.headers), answer.body || ""]
  }],
  "rest-client" => ["rest-client", lambda { |asked|
    options = { method: asked.method, url: asked.url, payload: asked.body, headers: table(asked) }
    RestClient::Request.execute(timeout: asked.timeout, max_redirects: 0, proxy: nil, **options) do |answer, *|
      [answer.code, answer.net_http_res.message, pairs(answer.raw_headers), answer.body || ""]
    end
  }],
  "curb" => ["curb", lambda { |asked|
    client = pooled(:close) { Curl::Easy.new }
    client.reset
    client.url = asked.url
    client.timeout_ms = asked.timeout * 1000
    client.headers = asked.fields.map { |name, value| "#{name}: #{value}" }
    client.post_body = asked.body if asked.body
    asked.method == "HEAD" ? client.http_head : client.http(asked.method)
    fields = client.header_str.split("\r\n").drop(1).map { |line| line.split(/:\s*/, 2) }
    [client.response_code, nil, fields.select { |pair| pair.size == 2 }, client.body_str]
  }],
  "async-http" => ["async/http/internet", lambda { |asked|
    Async { |task|
      client = Async::HTTP::Internet.new(retries: 0)
      begin
        task.with_timeout(5) do
          answer = client.get(asked.url)
          [answer.status, nil, answer.headers.fields, answer.read || ""]
        end
      ensure
        client.close
      end
    }.wait
  }],
  "net-http-persistent" => ["net/http/persistent", lambda { |asked|
    client = pooled(:shutdown) { Net::HTTP::Persistent.new(name: "httplib-kit") }
    client.read_timeout = client.write_timeout = asked.timeout
    request = Net::HTTP.const_get(asked.method.capitalize).new(asked.uri)
    asked.fields.each { |name, value| request.add_field(name, value) }
    request["Transfer-Encoding"] = "chunked" if asked.streamed
    asked.streamed ? request.body_stream = Once.new(asked.body) : request.body = asked.body
    answer = client.request(asked.uri, request)
    [answer.code.to_i, answer.message, answer.each_header.to_a, answer.body || ""]
  }],
}

file, EXCHANGE = CLIENTS.fetch(which)
begin
  require file
rescue LoadError
  raise LoadError, "Ruby has no gem #{which}"
end
NAME = which
VERSION = Gem.loaded_specs[which]&.version&.to_s || Gem::Specification.find_by_name(which).version.to_s

def exchange(asked)
  EXCHANGE.call(asked)
end
