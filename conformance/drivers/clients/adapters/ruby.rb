# The clients in Ruby that the kit has: a function for each, by the name in the registry.
which = ARGV.shift

# Fields of a table whose values can be lists, as most clients have them.
def pairs(table)
  (table || {}).flat_map { |name, value| [value].flatten.map { |one| [name, one] } }
end

CLIENTS = {
  "httpclient" => ["httpclient", lambda { |url|
    client = HTTPClient.new
    client.receive_timeout = 5
    client.protocol_retry_count = 1
    answer = client.get(url)
    [answer.status, answer.reason, answer.http_header.all, answer.content || ""]
  }],
  "excon" => ["excon", lambda { |url|
    answer = Excon.get(url, read_timeout: 5, retry_limit: 0)
    [answer.status, answer.reason_phrase, pairs(answer.headers), answer.body]
  }],
  "faraday" => ["faraday", lambda { |url|
    answer = Faraday.new(url, request: { timeout: 5 }).get
    [answer.status, answer.reason_phrase, answer.headers.to_a, answer.body || ""]
  }],
  "http" => ["http", lambda { |url|
    answer = HTTP.timeout(5).get(url)
    [answer.code, answer.reason, answer.headers.to_a, answer.body.to_s]
  }],
  "typhoeus" => ["typhoeus", lambda { |url|
    answer = Typhoeus.get(url, timeout: 5)
    raise Ethon::Errors::EthonError, answer.return_code.to_s unless answer.return_code == :ok
    [answer.code, answer.status_message, pairs(answer.headers), answer.body]
  }],
  "httparty" => ["httparty", lambda { |url|
    answer = HTTParty.get(url, timeout: 5, follow_redirects: false, max_retries: 0, format: :plain)
    [answer.code, answer.message, pairs(answer.headers), answer.body || ""]
  }],
  "rest-client" => ["rest-client", lambda { |url|
    options = { method: :get, url: url, timeout: 5, max_redirects: 0, proxy: nil }
    RestClient::Request.execute(options) do |answer, *|
      [answer.code, answer.net_http_res.message, pairs(answer.raw_headers), answer.body || ""]
    end
  }],
  "curb" => ["curb", lambda { |url|
    client = Curl::Easy.new(url)
    client.timeout = 5
    client.perform
    fields = client.header_str.split("\r\n").drop(1).map { |line| line.split(/:\s*/, 2) }
    [client.response_code, nil, fields.select { |pair| pair.size == 2 }, client.body_str]
  }],
  "async-http" => ["async/http/internet", lambda { |url|
    Async { |task|
      client = Async::HTTP::Internet.new(retries: 0)
      begin
        task.with_timeout(5) do
          answer = client.get(url)
          [answer.status, nil, answer.headers.fields, answer.read || ""]
        end
      ensure
        client.close
      end
    }.wait
  }],
  "net-http-persistent" => ["net/http/persistent", lambda { |url|
    client = Net::HTTP::Persistent.new(name: "httplib-kit")
    client.read_timeout = 5
    answer = client.request(URI(url))
    client.shutdown
    [answer.code.to_i, answer.message, answer.each_header.to_a, answer.body || ""]
  }],
}

file, FETCH = CLIENTS.fetch(which)
begin
  require file
rescue LoadError
  raise LoadError, "Ruby has no gem #{which}"
end
NAME = which
VERSION = Gem.loaded_specs[which]&.version&.to_s || Gem::Specification.find_by_name(which).version.to_s

def fetch(url)
  FETCH.call(url)
end
