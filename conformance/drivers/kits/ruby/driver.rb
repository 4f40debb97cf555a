# A driver: it answers the messages of httplib-kit with what a client in Ruby does.
#
#   ruby driver.rb [FILE [ARGUMENT]]
#
# FILE, by default client.rb in this directory, defines NAME, VERSION and `fetch(url)`, which returns status, reason,
# fields and content, or raises.  Nothing here has to be changed for another client.
require "json"

# One character for each byte, as the protocol has it; nil stays nil.
def octets(text)
  text && text.to_s.b.force_encoding("ISO-8859-1").encode("UTF-8")
end

def causes(error)
  found = []
  found << error while (error = error.cause) && !found.include?(error)
  found.map { |one| octets("#{one.class}: #{one.message}") }
end

def outcome(url)
  status, reason, fields, content = fetch(url)
  fields = fields && fields.map { |name, value| [octets(name), octets(value)] }
  { value: { type: "response", status: status, reason: octets(reason), headers: fields, body: octets(content) } }
rescue StandardError, ScriptError, NoMemoryError => error
  bases = error.class.ancestors.grep(Class).drop(1).map(&:name)
  { error: { class: error.class.name, bases: bases, message: octets(error.message), causes: causes(error) } }
end

def answer(message)
  case message["type"]
  when "start"
    return { error: { class: "NotInstalled", message: $absent } } if $absent
    { name: NAME, version: VERSION, ops: ["fetch"] }
  when "run"
    { trace: message["ops"].map { |op|
      { id: op["id"] }.merge(op["call"] == "fetch" ? outcome(message["url"]) : { unsupported: true })
    } }
  when "release" then {}
  else { unsupported: message["type"] }
  end
end

answers = $stdout.dup # what a client prints must not be an answer
$stdout.reopen($stderr)
begin
  load(ARGV.shift || File.join(__dir__, "client.rb"))
  outcome("http://127.0.0.1:1/") # loads the client before the first case
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
