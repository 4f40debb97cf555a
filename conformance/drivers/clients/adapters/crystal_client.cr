# HTTP::Client of Crystal, for line_driver.py.
require "http/client"

def one_line(text)
  text.gsub(/[\r\n\t]/, " ")
end

def answer(url)
  where = URI.parse(url)
  client = HTTP::Client.new(where)
  client.read_timeout = 5.seconds
  client.compress = false
  client.get(where.path) do |response|
    head = one_line(response.status_message || "")
    response.headers.each { |name, values| values.each { |value| head += "\n#{name}: #{one_line(value)}" } }
    content = response.body_io?.try(&.getb_to_end) || Bytes.new(0)
    STDOUT << "R " << response.status_code << " " << head.bytesize << " " << content.size << "\n" << head
    STDOUT.write(content)
  end
  client.close
rescue error
  STDOUT << "E " << error.class << "\t" << one_line(error.message || "") << "\n"
end

STDOUT << "V " << Crystal::VERSION << "\n"
STDOUT.flush
while url = STDIN.gets
  answer(url)
  STDOUT.flush
end
