# A driver: it answers the messages of httplib-kit with what a client in Ruby does.
#
#   ruby driver.rb [FILE [ARGUMENT]]
#
# FILE, by default client.rb in this directory, defines NAME, VERSION, FEATURES, `exchange(asked)`, which returns status,
# reason, fields and content, or raises, and `release`, which closes what the exchanges of a case have opened.  Nothing
# here has to be changed for another client.
require "json"
require "uri"

# What the client is asked to do: content is nil for a request without, `consume` is read, part (`amount` bytes, then
# close the response), drop (let go of it unread, and return nil for its content) or timeout, in seconds.
Asked = Struct.new(:url, :method, :fields, :body, :streamed, :expect_continue, :consume, :amount, :timeout) do
  def uri
    URI(url)
  end

  # Content that is given in pieces, once.
  def pieces
    [body].each
  end
end

def asked_by(given, url)
  target = given["target"]
  fields = given.dig("fields", "value") || []
  body = given.dig("body", "value")&.encode("ISO-8859-1")&.b
  Asked.new(target ? URI.join(url, target).to_s : url, given["method"] || "GET", fields, body, given["streamed"],
            given["expect_continue"], given["consume"] || "read", given["amount"] || 0, given["timeout"] || 5)
end

# One character for each byte, as the protocol has it; nil stays nil.
def octets(text)
  text && text.to_s.b.force_encoding("ISO-8859-1").encode("UTF-8")
end

def causes(error)
  found = []
  found << error while (error = error.cause) && !found.include?(error)
  found.map { |one| octets("#{one.class}: #{one.message}") }
end

def outcome(asked)
  status, reason, fields, content = exchange(asked)
  fields = fields && fields.map { |name, value| [octets(name.to_s), octets(value.to_s)] }
  { value: { type: "response", status: status, reason: octets(reason), headers: fields, body: octets(content) } }
rescue StandardError, ScriptError, NoMemoryError => error
  bases = error.class.ancestors.grep(Class).drop(1).map(&:name)
  { error: { class: error.class.name, bases: bases, message: octets(error.message), causes: causes(error) } }
end

def entry(message, op)
  return { unsupported: true } unless %w[fetch exchange].include?(op["call"])

  outcome(asked_by(op["kwargs"] || {}, message["url"]))
end

def answer(message)
  case message["type"]
  when "start"
    return { error: { class: "NotInstalled", message: $absent } } if $absent
    { name: NAME, version: VERSION, ops: %w[fetch exchange], features: FEATURES }
  when "run"
    { trace: message["ops"].map { |op| { id: op["id"] }.merge(entry(message, op)) } }
  when "release"
    release
    {}
  else { unsupported: message["type"] }
  end
end

answers = $stdout.dup # what a client prints must not be an answer
$stdout.reopen($stderr)
begin
  load(ARGV.shift || File.join(__dir__, "client.rb"))
  outcome(asked_by({}, "http://127.0.0.1:1/")) # loads the client before the first case
  release
rescue LoadError => error
  $absent = error.message
end
$stdin.each_line do |line|
  message = JSON.parse(line)
  break if message["type"] == "stop"
  answers.puts(JSON.generate(answer(message).merge(serial: message["serial"])))
  answers.flush
end
exit!(0)
