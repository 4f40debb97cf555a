// Boost.Beast, for line_driver.py.
#include "lines.hpp"
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <boost/version.hpp>

namespace http = boost::beast::http;
namespace ip = boost::asio::ip;

static Response fetch(const std::string &url) {
    Address address(url);
    boost::asio::io_context context;
    boost::beast::tcp_stream stream(context);
    stream.connect(ip::tcp::endpoint(ip::make_address(address.host), std::stoi(address.port)));
    http::request<http::empty_body> request(http::verb::get, address.path, 11);
    request.set("Host", address.authority());
    http::write(stream, request);
    boost::beast::flat_buffer buffer;
    for (;;) {
        http::response_parser<http::string_body> parser;
        parser.body_limit(1ull << 40);
        http::read(stream, buffer, parser);
        auto &answer = parser.get();
        if (answer.result_int() / 100 == 1 && answer.result_int() != 101)
            continue;
        Response response;
        response.status = answer.result_int();
        response.reason = std::string(answer.reason());
        for (auto &field : answer)
            response.field(std::string(field.name_string()), std::string(field.value()));
        response.content = answer.body();
        return response;
    }
}

int main() { return serve(BOOST_LIB_VERSION, fetch); }
